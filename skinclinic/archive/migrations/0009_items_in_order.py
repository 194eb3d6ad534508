from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("archive", "0008_photos_of_versions"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="datasetitem",
            index=models.Index(fields=["version", "id"], name="item_in_order"),
        ),
    ]
