from django.db import migrations
from django.utils import timezone

from skinclinic.vocabulary.diseases import MALIGNANT_KEYS
from skinclinic.vocabulary.terms import may_be_one_of_the_12


def tell_worklist(apps, editor):
    """Give the worklist the decisions that stand: the last of each person at each photo, and its sum a lesion."""
    assessments = apps.get_model("classifier", "Assessment").objects.exclude(decision="")
    rows = assessments.filter(decided_at__isnull=False, analysis__photo__lesion__is_archived=False)
    last = {}
    for row in rows.select_related("analysis__photo", "conclusion").order_by("decided_at", "pk").iterator():
        last[row.analysis.photo_id, row.user_id] = row
    kept = apps.get_model("skinclinic", "PhotoDecision")
    kept.objects.bulk_create(
        (
            kept(
                clinic_id=row.clinic_id, photo_id=photo, user_id=user, diagnosis=row.conclusion,
                decided_at=row.decided_at, is_malignant=_is_malignant(row.conclusion), disagrees=_disagrees(row),
            )
            for (photo, user), row in last.items()
        ),
        batch_size=1000,
    )
    lesions = apps.get_model("skinclinic", "Lesion").objects.select_related("cover")
    for pk in {row.analysis.photo.lesion_id for row in last.values()}:
        _sum_up(lesions.get(pk=pk), kept.objects.filter(photo__lesion=pk).select_related("photo"))


def _is_malignant(diagnosis):
    if diagnosis is None:
        return False
    return diagnosis.disease in MALIGNANT_KEYS or (
        not diagnosis.disease and diagnosis.icd10.startswith(("C", "D0"))
    )


def _disagrees(row):
    """Whether the diagnosis is not listed, or the list was set aside for none. Nothing was listed without thresholds;
    a code or words that may mean one of the 12 do not say."""
    listed, diagnosis = row.listed, row.conclusion
    if row.threshold_set_id is None:
        return False
    if diagnosis is None:
        return row.decision in ("dismiss", "agree") and bool(listed)
    if diagnosis.disease:
        return diagnosis.disease not in listed
    return bool(listed) and not may_be_one_of_the_12(diagnosis.icd10, diagnosis.text)


def _day_of(captured_at, created_at):
    """The day of a photo's visit: that it was taken, if that is not after it was stored."""
    stored = timezone.localdate(created_at)
    return min(timezone.localdate(captured_at), stored) if captured_at else stored


def _sum_up(lesion, decisions):
    by_person = {row.user_id: row for row in decisions.order_by("decided_at", "pk")}
    lesion.disagrees = any(row.disagrees for row in by_person.values())
    lesion.is_unplanned = not lesion.is_proven and any(row.is_malignant for row in by_person.values())
    if lesion.cover:
        days = [_day_of(*taken) for taken in lesion.photos.values_list("captured_at", "created_at")]
        asked = {max(days), _day_of(lesion.cover.captured_at, lesion.cover.created_at)}
        seen = [
            row.decided_at
            for row in decisions
            if row.decided_at >= lesion.cover.created_at
            and _day_of(row.photo.captured_at, row.photo.created_at) in asked
        ]
        lesion.settled_at = max(seen + ([lesion.settled_at] if lesion.settled_at else []), default=None)
        lesion.to_decide = lesion.settled_at is None
    lesion.save(update_fields=["disagrees", "is_unplanned", "settled_at", "to_decide"])


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0004_decisions_and_lesions_told_rightly'),
        ('skinclinic', '0008_cases_of_before'),
    ]

    operations = [
        migrations.RunPython(tell_worklist, migrations.RunPython.noop),
    ]
