from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing

IS_OPEN = models.Q(state__in=["queued", "running", "failed"])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0039_workers_told")]

    operations = [
        AddIndexWhileServing(
            model_name="job",
            index=models.Index(fields=["state", "id"], name="job_open", condition=IS_OPEN),
        ),
        AddIndexWhileServing(
            model_name="job",
            index=models.Index(fields=["clinic", "state", "id"], name="job_open_of", condition=IS_OPEN),
        ),
    ]
