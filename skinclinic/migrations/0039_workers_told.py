from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0037_file_notes")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="worker",
            field=models.CharField(blank=True, db_default="", max_length=120),
        ),
        migrations.AddField(
            model_name="workerseen", name="began_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(model_name="workerseen", name="told", field=models.JSONField(null=True)),
    ]
