from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("classifier", "0010_following_the_model_in_use"),
    ]

    operations = [
        AddIndexWhileServing(
            model_name="analysis",
            index=models.Index(
                condition=models.Q(("job__isnull", False)), fields=["clinic", "-id"], name="analysis_asked_for"
            ),
        ),
    ]
