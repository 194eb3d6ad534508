from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0022_token_reminders")]

    # Who is a member already knows the way.
    operations = [
        migrations.AddField("member", "first_steps", models.BooleanField(default=False)),
        migrations.AlterField("member", "first_steps", models.BooleanField(default=True)),
    ]
