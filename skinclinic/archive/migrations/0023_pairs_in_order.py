from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("archive", "0022_isic_fields")]

    operations = [
        AddIndexWhileServing(
            model_name="duplicatepair",
            index=models.Index(
                fields=["clinic", "distance", "id"],
                name="pair_next_patients",
                condition=models.Q(verdict="open", across_patients=True),
            ),
        ),
        AddIndexWhileServing(
            model_name="duplicatepair",
            index=models.Index(
                fields=["clinic", "distance", "id"],
                name="pair_next_sources",
                condition=models.Q(verdict="open", across_sources=True),
            ),
        ),
        AddIndexWhileServing(
            model_name="duplicatepair",
            index=models.Index(
                fields=["clinic", "-id"],
                name="pair_decided",
                condition=models.Q(("verdict", "open"), _negated=True),
            ),
        ),
    ]
