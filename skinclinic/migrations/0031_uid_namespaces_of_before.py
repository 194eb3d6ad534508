import uuid

from django.db import migrations


def give_each_its_own(apps, _schema_editor):
    clinics = apps.get_model("skinclinic", "Clinic")
    for clinic in clinics.objects.filter(uid_namespace=None):
        clinics.objects.filter(pk=clinic.pk).update(uid_namespace=uuid.uuid4())


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0030_image_archives")]

    operations = [migrations.RunPython(give_each_its_own, migrations.RunPython.noop)]
