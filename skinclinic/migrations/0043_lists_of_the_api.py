from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0042_photos_by_sender")]

    operations = [
        AddIndexWhileServing(
            model_name="lesion",
            index=models.Index(
                fields=["clinic", "state", "-id"],
                name="lesion_unfinished",
                condition=models.Q(state__in=["queued", "running", "failed"]),
            ),
        ),
        AddIndexWhileServing(
            model_name="lesion",
            index=models.Index(
                fields=["clinic", "proven_disease", "-id"],
                name="lesion_by_proof",
                condition=models.Q(proven_disease__gt=""),
            ),
        ),
        AddIndexWhileServing(
            model_name="photo",
            index=models.Index(
                fields=["clinic", "kind", "-id"],
                name="photo_by_kind",
                condition=models.Q(("kind", "close_up"), _negated=True),
            ),
        ),
        AddIndexWhileServing(
            model_name="photo",
            index=models.Index(
                fields=["clinic", "-id"],
                name="photo_synthetic",
                condition=models.Q(is_synthetic=True),
            ),
        ),
        AddIndexWhileServing(
            model_name="lesion", index=models.Index(fields=["clinic", "-id"], name="lesion_by_clinic")
        ),
        AddIndexWhileServing(
            model_name="photo", index=models.Index(fields=["clinic", "-id"], name="photo_by_clinic")
        ),
    ]
