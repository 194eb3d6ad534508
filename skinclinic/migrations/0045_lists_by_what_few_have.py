from django.db import migrations, models

from skinclinic.concurrent_indexes import AddIndexWhileServing


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("skinclinic", "0044_counts_by_part")]

    operations = [
        AddIndexWhileServing(
            model_name="patient", index=models.Index(fields=["clinic", "-id"], name="patient_by_clinic")
        ),
        AddIndexWhileServing(
            model_name="patient",
            index=models.Index(
                fields=["clinic", "-id"], name="patient_own", condition=models.Q(is_archived=False)
            ),
        ),
        AddIndexWhileServing(
            model_name="patient",
            index=models.Index(
                fields=["clinic", "sex", "-id"], name="patient_by_sex", condition=models.Q(sex__gt="")
            ),
        ),
        AddIndexWhileServing(
            model_name="patient",
            index=models.Index(
                fields=["clinic", "birth_year", "-id"],
                name="patient_by_birth_year",
                condition=models.Q(birth_year__isnull=False),
            ),
        ),
        AddIndexWhileServing(
            model_name="patient",
            index=models.Index(
                fields=["clinic", "skin_type", "-id"],
                name="patient_by_skin_type",
                condition=models.Q(skin_type__isnull=False),
            ),
        ),
        AddIndexWhileServing(
            model_name="patient",
            index=models.Index(
                fields=["clinic", "research_consent", "-id"],
                name="patient_by_consent",
                condition=models.Q(research_consent__gt=""),
            ),
        ),
        AddIndexWhileServing(
            model_name="lesion",
            index=models.Index(
                fields=["clinic", "-id"], name="lesion_own", condition=models.Q(is_archived=False)
            ),
        ),
        AddIndexWhileServing(
            model_name="lesion",
            index=models.Index(
                fields=["clinic", "-id"],
                name="lesion_empty",
                condition=models.Q(is_archived=False, state="empty"),
            ),
        ),
        AddIndexWhileServing(
            model_name="lesion",
            index=models.Index(
                fields=["clinic", "site", "-id"], name="lesion_by_site", condition=models.Q(site__gt="")
            ),
        ),
        AddIndexWhileServing(
            model_name="diagnosis", index=models.Index(fields=["clinic", "-id"], name="diagnosis_by_clinic")
        ),
        AddIndexWhileServing(
            model_name="diagnosis",
            index=models.Index(
                fields=["clinic", "disease", "-id"],
                name="diagnosis_by_disease",
                condition=models.Q(disease__gt=""),
            ),
        ),
        AddIndexWhileServing(
            model_name="diagnosis",
            index=models.Index(
                fields=["clinic", "-id"], name="diagnosis_pathology", condition=models.Q(kind="pathology")
            ),
        ),
    ]
