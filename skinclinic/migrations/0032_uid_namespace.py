import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("skinclinic", "0031_uid_namespaces_of_before")]

    operations = [
        migrations.AlterField("clinic", "uid_namespace", models.UUIDField(default=uuid.uuid4, editable=False)),
    ]
