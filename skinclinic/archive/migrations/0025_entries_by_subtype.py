from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("archive", "0024_entries_of_clinics")]

    operations = [
        AddIndexWhileServing(
            model_name="entry",
            index=models.Index(
                fields=["clinic", "subtype"], name="entry_by_subtype", condition=models.Q(subtype__gt="")
            ),
        ),
    ]
