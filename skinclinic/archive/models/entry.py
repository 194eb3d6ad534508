from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from skinclinic.models import Diagnosis, Patient
from skinclinic.vocabulary import tags
from skinclinic.vocabulary.sites import SITES

LABEL_LENGTH = 120


class Review(models.TextChoices):
    PENDING = "pending", _("To review")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")


class RejectReason(models.TextChoices):
    POSTOPERATIVE = "postoperative", _("Postoperative")
    INADEQUATE = "inadequate", _("Inadequate photo")
    NOT_SKIN = "not_skin", _("Not skin")
    IDENTIFIABLE = "identifiable", _("Person identifiable")
    WRONG_LABEL = "wrong_label", _("Label in doubt")
    DUPLICATE = "duplicate", _("Duplicate")
    NO_CONSENT = "no_consent", _("No consent")
    OTHER = "other", _("Other")


class Entry(models.Model):
    """A photo's place in the archive: its label, where it comes from, and what reviewers decided.

    ``label`` is one of the 12 disease keys or the name of a background disease (``skinclinic.archive.labels``).
    ``patient`` and ``taken_on`` repeat the photo's, so that the gallery of 200,000 photos needs no joins; for the
    clinic's own photos so do sex, skin type, ethnicity and site, which ``services.curating.own_facts`` keeps true.
    """

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="entries")
    photo = models.OneToOneField("skinclinic.Photo", models.CASCADE, related_name="archive_entry")
    source = models.ForeignKey("archive.Source", models.PROTECT, related_name="entries")
    # The photo's name in its source; unique there.
    external_id = models.CharField(_("name in the source"), max_length=200)
    # What its source calls the lesion it shows; that and the patient tell lesions of one source apart.
    source_lesion = models.CharField(_("lesion in the source"), max_length=60, blank=True)
    patient = models.ForeignKey(
        "skinclinic.Patient", models.SET_NULL, null=True, blank=True, related_name="entries"
    )
    # The patient's key, or 0: what the gallery is ordered by, which may not be null.
    patient_key = models.BigIntegerField(default=0)
    taken_on = models.DateField(_("taken"), null=True, blank=True)
    # In years. With ``age_to`` a range: 30 to 35, or 85 to 120 for "85 and older".
    age = models.PositiveSmallIntegerField(_("age"), null=True, blank=True)
    age_to = models.PositiveSmallIntegerField(null=True, blank=True)
    # What the source says with this photo, whether or not it names a patient.
    sex = models.CharField(_("sex"), max_length=8, choices=Patient.Sex.choices, blank=True)
    # See ``skinclinic.vocabulary.skin_types``.
    skin_type = models.PositiveSmallIntegerField(_("Fitzpatrick skin type"), null=True, blank=True)
    ethnicity = models.CharField(_("ethnicity"), max_length=80, blank=True)
    site = models.CharField(_("anatomic site"), max_length=24, choices=SITES, blank=True)
    # {column of the source's table: text} of what is read into no field.
    columns = models.JSONField(default=dict, blank=True)
    # {field: what the source said last} where a curator keeps something else.
    said = models.JSONField(default=dict, blank=True)
    # The import that brought the photo.
    of_import = models.ForeignKey("archive.Import", models.SET_NULL, null=True, related_name="entries")

    label = models.CharField(_("label"), max_length=LABEL_LENGTH)
    subtype = models.CharField(_("subtype"), max_length=80, blank=True)
    icd10 = models.CharField(_("ICD-10"), max_length=8, blank=True)
    impression = models.CharField(_("clinical impression"), max_length=LABEL_LENGTH, blank=True)
    text = models.CharField(_("pathology text"), max_length=2000, blank=True)
    is_proven = models.BooleanField(_("biopsy-proven"), default=False)
    confirmed_by = models.CharField(
        _("confirmed by"), max_length=60, choices=Diagnosis.ConfirmedBy.choices, blank=True
    )

    # What else the photo shows: see ``skinclinic.vocabulary.tags``.
    tags = models.CharField(_("tags"), max_length=tags.LENGTH, blank=True)

    # What a second curator says who has not seen the label; ``is_settled``: the two have agreed since.
    second_label = models.CharField(_("second opinion"), max_length=LABEL_LENGTH, blank=True)
    second_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    is_settled = models.BooleanField(_("agreed on"), default=False)

    review = models.CharField(max_length=8, choices=Review.choices, default=Review.PENDING)
    reject_reason = models.CharField(max_length=16, choices=RejectReason.choices, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)

    # SHA-256 of the stored file (the photo's own ``sha256`` is that of the upload), and its perceptual
    # hash as a signed 64-bit number; null until computed.
    content_sha256 = models.CharField(max_length=64)
    phash = models.BigIntegerField(null=True)
    # What the model says, when it was asked: its first choice, and how much more it gives to that than to the
    # label (0: it agrees; null: not asked, or no opinion).
    model_label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    disagreement = models.FloatField(null=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="one_entry_a_name")]
        indexes = [
            # By the keys alone a small clinic's newest would be looked for among all.
            models.Index(fields=["clinic", "-id"], name="entry_by_clinic"),
            models.Index(fields=["clinic", "review", "-id"], name="entry_by_review"),
            models.Index(fields=["clinic", "label", "review", "-id"], name="entry_by_label"),
            models.Index(fields=["clinic", "source", "review", "-id"], name="entry_by_source"),
            models.Index(fields=["clinic", "is_proven", "review", "-id"], name="entry_by_proof"),
            models.Index(fields=["clinic", "reviewed_by", "-id"], name="entry_by_reviewer"),
            # What somebody has reviewed and is to be reviewed again: seldom any.
            models.Index(
                fields=["clinic", "reviewed_by", "-id"],
                name="entry_pending_again",
                condition=models.Q(review="pending", reviewed_by__isnull=False),
            ),
            models.Index(fields=["clinic", "-patient_key", "-id"], name="entry_by_patient"),
            models.Index(fields=["clinic", "-taken_on", "-id"], name="entry_by_date"),
            models.Index(fields=["clinic", "-disagreement", "-id"], name="entry_by_disagreement"),
            models.Index(fields=["clinic", "content_sha256"], name="entry_by_content"),
            models.Index(fields=["clinic", "icd10"], name="entry_by_icd10"),
            models.Index(fields=["clinic", "age", "-id"], name="entry_by_age"),
            models.Index(fields=["clinic", "sex", "-id"], name="entry_by_sex"),
            models.Index(fields=["clinic", "skin_type", "-id"], name="entry_by_skin_type"),
            models.Index(fields=["clinic", "site", "-id"], name="entry_by_site"),
            models.Index(
                fields=["clinic", "subtype"], name="entry_by_subtype", condition=models.Q(subtype__gt="")
            ),
            models.Index(fields=["clinic", "-id"], name="entry_tagged", condition=~models.Q(tags="")),
            models.Index(
                fields=["clinic", "-id"], name="entry_by_second", condition=~models.Q(second_label="")
            ),
            models.Index(
                fields=["source", "source_lesion"],
                name="entry_by_source_lesion",
                condition=~models.Q(source_lesion=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.external_id}"


class EntryChange(models.Model):
    """One decision on one entry: who, when, and what each field was and became."""

    class Action(models.TextChoices):
        IMPORTED = "imported", _("Imported")
        ADDED = "added", _("Added from the clinic")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        EDITED = "edited", _("Edited")
        UNDONE = "undone", _("Undone")
        TAGGED = "tagged", _("Tagged")
        OPINION = "opinion", _("Second opinion")
        SETTLED = "settled", _("Agreed on")
        COVERED = "covered", _("Covered for good")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="changes")
    action = models.CharField(max_length=8, choices=Action.choices)
    # {field: [from, to]}
    fields = models.JSONField(default=dict)
    note = models.CharField(max_length=400, blank=True)
    # By the database's clock: whoever asked for one action on many photos compares it with when that was.
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # The import that made the change.
    of_import = models.ForeignKey("archive.Import", models.SET_NULL, null=True, related_name="changes")
    undone_at = models.DateTimeField(null=True)
    # Who had reviewed it and when, as it was before: {"reviewed_by_id": …, "reviewed_at": …}.
    reviewed = models.JSONField(default=dict, blank=True)
    # The work on many photos it is part of.
    bulk = models.ForeignKey("archive.BulkChange", models.SET_NULL, null=True, related_name="changes")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["clinic", "by", "-id"], name="change_by_person")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} #{self.entry_id}"
