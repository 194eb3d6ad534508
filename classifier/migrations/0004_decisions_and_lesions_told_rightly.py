"""Decisions that called themselves agreement although the model had listed something else are told as what they were:
the own diagnosis kept."""

from django.db import migrations, models

CHUNK = 500


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
    dependencies = [
        ("classifier", "0003_notes_of_tried_photos"),
        ("skinclinic", "0004_photo_captured_offset"),
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
    ]
