from django.db import migrations, models

AT_ONCE = 2000
MARK = ": lesion "


def read_notes(apps, schema_editor):
    """Until now a lesion's name in its source stood in the note of the lesion alone: "SOURCE: lesion NAME"."""
    entries = apps.get_model("archive", "Entry").objects.using(schema_editor.connection.alias)
    noted = entries.filter(photo__lesion__is_archived=True, photo__lesion__note__contains=MARK)
    last = 0
    while rows := list(
        noted.filter(pk__gt=last).select_related("photo__lesion").order_by("pk")[:AT_ONCE]
    ):
        last = rows[-1].pk
        for row in rows:
            row.source_lesion = row.photo.lesion.note.rpartition(MARK)[2][:60]
        entries.bulk_update(rows, ["source_lesion"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ("archive", "0004_imports_mapped_and_undone"),
        ("skinclinic", "0001_version_0_1"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="source_lesion",
            field=models.CharField(blank=True, max_length=60, verbose_name="lesion in the source"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("source_lesion", ""), _negated=True),
                fields=["source", "source_lesion"],
                name="entry_by_source_lesion",
            ),
        ),
        migrations.RunPython(read_notes, migrations.RunPython.noop, elidable=True),
    ]
