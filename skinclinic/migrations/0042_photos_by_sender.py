from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0041_kept_counts")]

    operations = [
        AddIndexWhileServing(
            model_name="photo",
            index=models.Index(fields=["uploaded_by", "created_at"], name="photo_by_sender"),
        ),
    ]
