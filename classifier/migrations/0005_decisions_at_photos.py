from django.db import migrations
from django.utils import timezone

from skinclinic.vocabulary.diseases import MALIGNANT_KEYS


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
    if row.conclusion is None:
        return row.decision == "dismiss" and bool(row.listed)
    return row.conclusion.disease not in row.listed if row.conclusion.disease else bool(row.listed)


def _sum_up(lesion, decisions):
    by_person = {row.user_id: row for row in decisions.order_by("decided_at", "pk")}
    lesion.disagrees = any(row.disagrees for row in by_person.values())
    lesion.is_unplanned = not lesion.is_proven and any(row.is_malignant for row in by_person.values())
    if lesion.cover:
        day = timezone.localdate(lesion.cover.created_at)
        seen = [
            row.decided_at
            for row in decisions
            if timezone.localdate(row.photo.created_at) == day and row.decided_at >= lesion.cover.created_at
        ]
        lesion.settled_at = max(seen + ([lesion.settled_at] if lesion.settled_at else []), default=None)
        lesion.to_decide = lesion.settled_at is None
    lesion.save(update_fields=["disagrees", "is_unplanned", "settled_at", "to_decide"])


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0004_decisions_and_lesions_told_rightly'),
        ('skinclinic', '0007_cases'),
    ]

    operations = [
        migrations.RunPython(tell_worklist, migrations.RunPython.noop),
    ]
