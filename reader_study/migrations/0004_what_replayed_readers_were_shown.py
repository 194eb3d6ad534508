from django.db import migrations


def only_what_was_in_the_files(apps, schema_editor):
    """A replayed reader was shown the photos that the files have a row of; the order had named all photos."""
    Reading = apps.get_model("reader_study", "Reading")
    changed = []
    readings = Reading.objects.filter(reader__study__origin="replay").prefetch_related("answers__image")
    for reading in readings.iterator(chunk_size=200):
        reading.order = sorted(answer.image.number for answer in reading.answers.all())
        changed.append(reading)
    Reading.objects.bulk_update(changed, ["order"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("reader_study", "0003_work")]
    operations = [migrations.RunPython(only_what_was_in_the_files, migrations.RunPython.noop)]
