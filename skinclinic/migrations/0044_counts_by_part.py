from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0043_lists_of_the_api")]

    operations = [
        migrations.AddField(
            model_name="keptcount", name="parts", field=models.JSONField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="keptcount", name="keys", field=models.JSONField(blank=True, null=True)
        ),
    ]
