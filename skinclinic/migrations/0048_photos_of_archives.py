from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0047_audit_by_day_and_action")]

    operations = [
        migrations.AddField(
            model_name="photo",
            name="is_archived",
            field=models.BooleanField(db_default=False, default=False),
        ),
        AddIndexWhileServing(
            model_name="photo",
            index=models.Index(
                fields=["clinic", "-id"], name="photo_of_cases", condition=models.Q(is_archived=False)
            ),
        ),
        AddIndexWhileServing(
            model_name="photo",
            index=models.Index(
                fields=["clinic", "-id"], name="photo_of_archive", condition=models.Q(is_archived=True)
            ),
        ),
    ]
