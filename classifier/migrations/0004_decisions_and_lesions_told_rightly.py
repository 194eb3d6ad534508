"""What was told wrongly is told rightly: decisions that called themselves agreement although the model had listed
something else, and lesions that carried the answer of their newest photo, whatever its kind.

Lesions are written a few hundred at a time, each chunk by itself, and only where they are not right already: what is
interrupted goes on where it was when it is run again.
"""

from django.db import migrations, models, transaction
from django.db.models import Q

from classifier.services.analysis.summaries import FIELDS, write

CHUNK = 500


def bring_lesions_up_to_date(apps, schema_editor):
    models_ = {
        "lesion_model": apps.get_model("skinclinic", "Lesion"),
        "photo_model": apps.get_model("skinclinic", "Photo"),
        "analysis_model": apps.get_model("classifier", "Analysis"),
    }
    # Without an analysis there is nothing to carry; a second photo may have one that the newest has not.
    lesions = models_["lesion_model"].objects.filter(~Q(state="empty") | Q(photo_count__gt=1)).order_by("pk")
    last = 0
    while keys := list(lesions.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        last = keys[-1]
        with transaction.atomic():
            held = models_["lesion_model"].objects.select_for_update(no_key=True).filter(pk__in=keys)
            write(list(held.order_by("pk").only("pk", "cover_id", *FIELDS)), **models_)


def tell_decisions_rightly(apps, schema_editor):
    Assessment = apps.get_model("classifier", "Assessment")
    rows = Assessment.objects.select_related("impression", "conclusion").order_by("pk")
    rows = rows.exclude(impression=None)
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1].pk
        changed = [row for row in chunk if _told_rightly(row)]
        Assessment.objects.bulk_update(changed, ["decision", "earlier_decisions"])


def _told_rightly(row) -> bool:
    """Whether anything of the row had to be changed."""
    before = row.decision, [entry.get("decision") for entry in row.earlier_decisions]
    if _agrees(row):
        return False
    if row.decision == "agree":
        row.decision = "keep"
    for entry in row.earlier_decisions:
        if entry.get("decision") == "agree":
            entry["decision"] = "keep"
    return before != (row.decision, [entry.get("decision") for entry in row.earlier_decisions])


def _agrees(row) -> bool:
    """Whether the impression is what the model listed first, or neither named one of the 12."""
    if row.threshold_set_id is None:
        return False
    if row.impression.disease:
        return row.listed[:1] == [row.impression.disease]
    return not row.listed


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("classifier", "0003_notes_of_tried_photos"),
        ("skinclinic", "0006_whose_answer_a_lesion_carries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="assessment",
            name="decision",
            field=models.CharField(
                blank=True,
                choices=[
                    ("agree", "Agrees with the model"),
                    ("keep", "Own diagnosis kept"),
                    ("take", "The model's taken"),
                    ("change", "Something else"),
                    ("dismiss", "The model set aside"),
                ],
                max_length=8,
                verbose_name="decision",
            ),
        ),
        migrations.RunPython(tell_decisions_rightly, migrations.RunPython.noop),
        migrations.RunPython(bring_lesions_up_to_date, migrations.RunPython.noop),
    ]
