"""A colleague is asked what they think of one case: a member of the clinic, or by a link somebody outside.

What somebody outside answers is counted for nothing but itself: it is no impression and no decision.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.vocabulary import spoken


class SecondOpinion(models.Model):
    """A question to one colleague about one case. A link's secret is kept as its hash only."""

    class Show(models.TextChoices):
        """What somebody outside may see beside the photos; the last four only once they have answered."""

        AGE = "age", _("Age, as a range of ten years")
        SEX = "sex", _("Sex")
        SITE = "site", _("Site")
        NOTE = "note", _("Note of the lesion")
        DIAGNOSIS = "diagnosis", _("My own diagnosis")
        PATHOLOGY = "pathology", _("Pathology")
        MODEL = "model", _("The model's answer")
        HEATMAP = "heatmap", _("Heatmap of the model")

    FIRST = (Show.AGE, Show.SEX, Show.SITE, Show.NOTE)

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    lesion = models.ForeignKey("skinclinic.Lesion", models.CASCADE, related_name="second_opinions")
    question = models.CharField(_("question"), max_length=400, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    # A member of the clinic; none: somebody outside, who comes by the link.
    colleague = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    secret_sha256 = models.CharField(max_length=64, null=True, unique=True)
    letter = models.ForeignKey("skinclinic.Letter", models.SET_NULL, null=True, related_name="+")
    photos = models.ManyToManyField("skinclinic.Photo", related_name="+")
    shows = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    # None where no person did it, but a consent taken back.
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.whom}: {self.lesion}"

    @property
    def whom(self) -> str:
        return str(self.colleague) if self.colleague_id else self.name

    @property
    def shows_later(self) -> bool:
        """Whether anything is shown only after the answer."""
        return any(key not in self.FIRST for key in self.shows)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        return self.withdrawn_at is None and not self.is_expired


class OpinionGiven(models.Model):
    """What a colleague outside answered. Rows are added, never changed: the last one stands."""

    class Nature(models.TextChoices):
        BENIGN = "benign", _("Benign")
        MALIGNANT = "malignant", _("Malignant")
        UNSURE = "unsure", _("Unsure")

    class Biopsy(models.TextChoices):
        YES = "yes", _("Yes")
        NO = "no", _("No")
        UNSURE = "unsure", _("Unsure")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    opinion = models.ForeignKey(SecondOpinion, models.CASCADE, related_name="given")
    # As in ``Diagnosis``.
    disease = models.CharField(max_length=16, blank=True)
    icd10 = models.CharField(max_length=8, blank=True)
    text = models.CharField(max_length=400, blank=True)
    nature = models.CharField(_("benign or malignant"), max_length=9, choices=Nature.choices)
    biopsy = models.CharField(_("biopsy"), max_length=6, choices=Biopsy.choices)
    comment = models.CharField(_("comment"), max_length=2000, blank=True)
    given_at = models.DateTimeField(auto_now_add=True)
    # Whether anything that might sway them had been shown before.
    after_more = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.opinion.whom}: {self.disease or self.icd10 or self.text[:40]}"

    @property
    def said(self) -> str:
        """As ``Diagnosis.said``."""
        return spoken.text(self)


class OpinionLook(models.Model):
    """Who looked by a link, when, and at what."""

    class What(models.TextChoices):
        PAGE = "page", _("the page")
        PHOTO = "photo", _("a photo")
        ANSWER = "answer", _("answered")
        REFUSED = "refused", _("came after the end")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    opinion = models.ForeignKey(SecondOpinion, models.CASCADE, related_name="looks")
    what = models.CharField(max_length=8, choices=What.choices)
    at = models.DateTimeField(auto_now_add=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["opinion", "-at"], name="look_by_opinion")]

    def __str__(self) -> str:
        return f"{self.opinion_id}: {self.what}"
