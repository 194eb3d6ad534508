from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0023_jobs_after_a_pause")]

    # Who is a member already knows the way.
    operations = [
        migrations.AddField("member", "first_steps", models.BooleanField(default=False)),
        migrations.AlterField("member", "first_steps", models.BooleanField(default=True)),
    ]
