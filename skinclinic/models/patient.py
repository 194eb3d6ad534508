from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.models.answers import History
from skinclinic.vocabulary import skin_types


class Patient(History):
    """A patient under a pseudonymous code; no name, no date of birth."""

    class Sex(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")

    class SkinType(models.IntegerChoices):
        I = 1, "I"  # noqa: E741
        II = 2, "II"
        III = 3, "III"
        IV = 4, "IV"
        V = 5, "V"
        VI = 6, "VI"

    class Consent(models.TextChoices):
        """Whether the photos may be used beyond the patient's own care."""

        NOT_ASKED = "", _("Not asked")
        GIVEN = "given", _("Given")
        REFUSED = "refused", _("Refused or withdrawn")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="patients")
    code = models.CharField(_("patient code"), max_length=64)
    birth_year = models.PositiveSmallIntegerField(
        _("birth year"), null=True, blank=True, validators=[MinValueValidator(1890), MaxValueValidator(2100)]
    )
    sex = models.CharField(_("sex"), max_length=8, choices=Sex.choices, blank=True)
    skin_type = models.PositiveSmallIntegerField(
        _("Fitzpatrick skin type"), choices=SkinType.choices, null=True, blank=True
    )
    ethnicity = models.CharField(_("ethnicity"), max_length=80, blank=True)
    research_consent = models.CharField(
        _("consent to the archive"),
        max_length=8,
        choices=Consent.choices,
        blank=True,
        default=Consent.NOT_ASKED,
    )
    # When it was given, refused or withdrawn; None: not asked, or not recorded.
    consent_on = models.DateField(_("date of the consent"), null=True, blank=True)
    # To whom letters about the patient go: name and address, as last written to.
    referrer = models.TextField(_("referrer"), max_length=400, blank=True)
    # Came with an imported archive: nobody's patient here, so not in the clinic's list.
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(
                fields=["clinic", "code"], name="patient_by_code", condition=models.Q(is_archived=False)
            ),
            # As lists of the API narrow them, whose order is that of keys: of what few have, and of all, for by the
            # keys alone a small clinic's would be looked for among all.
            models.Index(fields=["clinic", "-id"], name="patient_by_clinic"),
            models.Index(fields=["clinic", "-id"], name="patient_own", condition=models.Q(is_archived=False)),
            models.Index(
                fields=["clinic", "sex", "-id"], name="patient_by_sex", condition=models.Q(sex__gt="")
            ),
            models.Index(
                fields=["clinic", "birth_year", "-id"],
                name="patient_by_birth_year",
                condition=models.Q(birth_year__isnull=False),
            ),
            models.Index(
                fields=["clinic", "skin_type", "-id"],
                name="patient_by_skin_type",
                condition=models.Q(skin_type__isnull=False),
            ),
            models.Index(
                fields=["clinic", "research_consent", "-id"],
                name="patient_by_consent",
                condition=models.Q(research_consent__gt=""),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "code"],
                name="one_patient_code_a_clinic",
                violation_error_message=_("This clinic already has a patient with this code."),
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def permits_archive(self) -> bool:
        """Whether the archive may hold the patient's photos. Those of an imported patient rest on the consent that
        its source names, until it is refused here."""
        if self.is_archived:
            return self.research_consent != self.Consent.REFUSED
        return self.research_consent == self.Consent.GIVEN

    def get_skin_type_display(self) -> str:  # type: ignore[no-redef]  # Django keeps the one of the class
        """'II', or 'I–II' where an archive tells no more."""
        return skin_types.name(self.skin_type)
