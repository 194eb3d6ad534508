from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0046_moments_of_the_database")]

    operations = [
        AddIndexWhileServing(
            model_name="auditevent", index=models.Index(fields=["-at", "-id"], name="audit_by_day")
        ),
        AddIndexWhileServing(
            model_name="auditevent", index=models.Index(fields=["action", "-id"], name="audit_by_action")
        ),
        AddIndexWhileServing(
            model_name="auditevent",
            index=models.Index(
                fields=["user_key", "address", "-id"],
                name="audit_sign_ins",
                condition=models.Q(action="sign_in"),
            ),
        ),
    ]
