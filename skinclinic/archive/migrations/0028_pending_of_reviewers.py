from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("archive", "0027_keys_in_parts")]

    operations = [
        AddIndexWhileServing(
            model_name="entry",
            index=models.Index(
                fields=["clinic", "reviewed_by", "-id"],
                name="entry_pending_again",
                condition=models.Q(review="pending", reviewed_by__isnull=False),
            ),
        ),
    ]
