from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('skinclinic', '0003_wider_sites'),
    ]

    operations = [
        migrations.AddField(
            model_name='photo',
            name='captured_offset',
            field=models.SmallIntegerField(blank=True, null=True),
        ),
    ]
