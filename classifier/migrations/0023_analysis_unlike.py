from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("classifier", "0013_label_check_contradicted")]

    operations = [
        migrations.AddField(model_name="analysis", name="unlike", field=models.FloatField(null=True)),
    ]
