from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("archive", "0023_pairs_in_order")]

    operations = [
        AddIndexWhileServing(
            model_name="entry", index=models.Index(fields=["clinic", "-id"], name="entry_by_clinic")
        ),
    ]
