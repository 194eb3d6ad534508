from django.db import migrations
from django.db.models import Count


def count(apps, schema_editor):
    """How many photos each version holds: the members are read once."""
    item, version = apps.get_model("archive", "DatasetItem"), apps.get_model("archive", "DatasetVersion")
    for pk, photos in item.objects.order_by().values_list("version").annotate(n=Count("id")):
        version.objects.filter(pk=pk).update(photos=photos)
    version.objects.filter(photos=None).update(photos=0)


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0007_large_datasets"),
    ]

    operations = [
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
