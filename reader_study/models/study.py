from pathlib import Path

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reader_study.models.asked import AsksOfReaders
from reader_study.models.for_readers import ForReaders
from skinclinic.vocabulary.diseases import DISEASE_KEYS


def all_choices() -> list[str]:
    """The 12 diseases, in their order."""
    return list(DISEASE_KEYS)


class Study(ForReaders, AsksOfReaders):
    """Readers answer one question about the same photos; afterwards they are compared with a model.

    ``choices``: disease keys in their fixed order. ``shown_facts``: what readers are told of the patient, out of
    "age", "sex", "site". ``recipe``: how the sample is drawn, {seed, proven_only, one_per_patient, practice, model,
    per: {dataset version: {disease or tier: n}}, unfilled: [{dataset, disease, wanted, found}], …}; see
    ``services/making/sampling.py``. ``protocol`` is everything that opening fixed, ``protocol_sha256`` that of its
    canonical JSON. Later changes are StudyEvents of kind "amended".
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", pgettext_lazy("of a study", "Open")
        CLOSED = "closed", _("Closed")

    class Origin(models.TextChoices):
        RUN = "run", _("Run here")
        REPLAY = "replay", _("Replayed from files")

    class PremalignantAs(models.TextChoices):
        BENIGN = "benign", _("Benign")
        MALIGNANT = "malignant", _("Malignant")

    class OperatingPoint(models.TextChoices):
        FIRST_CHOICE = "first_choice", _("The model's first choice")
        THRESHOLDS = "thresholds", _("The thresholds above")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="studies")
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("what it is to find out"), max_length=2000, blank=True)
    origin = models.CharField(max_length=6, choices=Origin.choices, default=Origin.RUN)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    # Drawn photos or simulated readers: said on every page and in every file.
    is_synthetic = models.BooleanField(default=False)

    question = models.CharField(_("question"), max_length=300, blank=True)
    instructions = models.TextField(_("instructions"), max_length=4000, blank=True)
    choices = models.JSONField(_("choices"), default=all_choices)
    asks_confidence = models.BooleanField(_("ask for the confidence (0 to 100)"), default=False)
    asks_second = models.BooleanField(_("ask for a second choice"), default=False)
    may_go_back = models.BooleanField(_("readers may go back"), default=True)
    shown_facts = models.JSONField(_("what readers are told"), default=list, blank=True)
    recipe = models.JSONField(default=dict, blank=True)

    model_version = models.ForeignKey(
        "classifier.ModelVersion", models.PROTECT, null=True, blank=True, related_name="studies"
    )
    # What a draft chooses; ``thresholds`` is what opening made of it: {name, cohort, purpose, values, details,
    # overlap}, the name "" where readers are shown scores alone. None: not recorded.
    threshold_set = models.ForeignKey(
        "classifier.ThresholdSet", models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("thresholds"),
    )  # fmt: skip
    thresholds = models.JSONField(null=True, blank=True)
    # At which the model is compared with the readers, and from which alone something may be concluded.
    operating_point = models.CharField(
        _("operating point"),
        max_length=12,
        choices=OperatingPoint.choices,
        default=OperatingPoint.FIRST_CHOICE,
    )
    premalignant_as = models.CharField(
        _("actinic keratosis counts as"),
        max_length=9,
        choices=PremalignantAs.choices,
        default=PremalignantAs.BENIGN,
    )
    # Non-inferiority margin of the balanced accuracy, 0 to 1.
    margin = models.FloatField(
        _("non-inferiority margin"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
    )
    # Disease keys whose comparison with the model is primary; the others are secondary.
    endpoints = models.JSONField(_("primary endpoints"), default=list, blank=True)
    analysis_plan = models.TextField(_("analysis plan"), max_length=4000, blank=True)

    registration = models.CharField(_("registration number"), max_length=120, blank=True)
    ethics = models.CharField(_("ethics approval"), max_length=300, blank=True)
    funding = models.CharField(_("funding"), max_length=400, blank=True)
    contact = models.CharField(_("contact"), max_length=200, blank=True)

    protocol = models.JSONField(null=True)
    protocol_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # What readers are told; the study is closed by a person.
    ends_on = models.DateField(_("answers are wanted by"), null=True, blank=True)
    # How the files of a replay were read: {labels: {word: disease}, encodings: {file: name}, notes: [what was made of
    # them that is not there to the letter]}; see ``statistics.read_as``.
    read_as = models.JSONField(default=dict, blank=True)
    # Results were looked at before the study was closed: by whom and why is in the events.
    unblinded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "studies"
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "name"],
                name="one_study_a_name",
                violation_error_message=_("This clinic already has a study with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_closed(self) -> bool:
        return self.state == self.State.CLOSED

    @property
    def is_unblinded(self) -> bool:
        """Whether answers may be seen beside the truth."""
        return self.is_closed or self.unblinded_at is not None

    @property
    def folder(self) -> Path:
        """Where its report and its files lie."""
        return settings.SKINCLINIC_HOME / "studies" / str(self.pk)


class StudySession(models.Model):
    """A round of reading: every reader answers every photo once. In an ``is_aided`` one the model's answer is
    shown after the reader's first answer. It begins ``washout_days`` after the reader's earlier one ended."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="sessions")
    number = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    is_aided = models.BooleanField(_("model's answer shown"), default=False)
    washout_days = models.PositiveSmallIntegerField(_("days after the session before"), default=0)

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_session_a_number"),
            models.UniqueConstraint(fields=["study", "key"], name="one_session_a_key"),
        ]

    def __str__(self) -> str:
        return self.key


class _Sample(models.Manager):
    """Without photos that come a second time, so that nothing counts them by mistake."""

    def counted(self) -> models.QuerySet:
        """What every figure is made of: no practice, and nothing whose patient's consent was taken back."""
        return self.filter(is_practice=False, taken_out_at=None)

    def get_queryset(self) -> models.QuerySet:
        return super().get_queryset().filter(repeat_of=None)


class _Everything(models.Manager):
    """Also photos that come a second time: for what readers see and answer."""


class StudyImage(models.Model):
    """A photo of the sample as it was when it was drawn, or one of a replay, which may have no photo here.

    ``name`` is what files call it. ``dataset`` names the stratum: every figure is computed within it.
    ``scores``: the compared model's, {disease: probability}. ``patient``: what the files of a replay call the patient;
    of a photo that is here, the photo tells. ``reference``: what its truth rests on, fixed when the study opens (""
    before, and where it was not recorded). ``block``: which block of the sample, 0 where it is not split.
    ``repeat_of``: the photo that this one shows a second time; ``objects`` holds none of these. ``taken_out_at``: its
    patient's consent was taken back while the study was open; it is shown no more and does not count. Of one whose
    patient was erased ``patient`` begins with ``WITHDRAWN``.
    """

    WITHDRAWN = "withdrawn-"

    class Reference(models.TextChoices):
        PROVEN = "proven", _("Proven by histopathology")
        PANEL = "panel", _("Agreed by several experts")
        SINGLE = "single", _("Single opinion")

    study = models.ForeignKey(Study, models.CASCADE, related_name="images")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    dataset = models.CharField(max_length=140)
    dataset_item = models.ForeignKey("archive.DatasetItem", models.SET_NULL, null=True, related_name="+")
    photo = models.ForeignKey("skinclinic.Photo", models.SET_NULL, null=True, related_name="+")
    content_sha256 = models.CharField(max_length=64, blank=True)
    truth = models.CharField(max_length=16)
    reference = models.CharField(max_length=6, choices=Reference.choices, blank=True)
    sex = models.CharField(max_length=8, blank=True)
    age = models.PositiveSmallIntegerField(null=True)
    # The last year where the files of a replay tell a range; of a drawn photo its dataset does.
    age_to = models.PositiveSmallIntegerField(null=True)
    skin_type = models.PositiveSmallIntegerField(null=True)
    site = models.CharField(max_length=24, blank=True)
    is_practice = models.BooleanField(default=False)
    scores = models.JSONField(null=True)
    patient = models.CharField(max_length=200, blank=True)
    block = models.PositiveSmallIntegerField(default=0)
    repeat_of = models.ForeignKey("self", models.CASCADE, null=True, related_name="repeats")
    taken_out_at = models.DateTimeField(null=True)

    objects = _Sample()
    with_repeats = _Everything()

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_study_image_a_number"),
            models.UniqueConstraint(fields=["study", "name"], name="one_study_image_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id}: {self.number}"

    @property
    def is_withdrawn(self) -> bool:
        return self.patient.startswith(self.WITHDRAWN)

    @property
    def age_range(self) -> tuple[int | None, int | None]:
        """(first, last) year; the last is None where the age is known, both where it is not."""
        item = self.dataset_item
        if self.age is None and item is not None and item.age_to is not None:
            return item.age, item.age_to
        return self.age, self.age_to


class StudyEvent(models.Model):
    """A line of the study's log. Never changed, never deleted."""

    class Kind(models.TextChoices):
        DRAWN = "drawn", _("Sample drawn")
        OPENED = "opened", _("Opened")
        AMENDED = "amended", _("Amended")
        INVITED = "invited", _("Reader invited")
        ALLOCATED = "allocated", _("Reader allocated")
        LINK_RENEWED = "link", _("Link renewed")
        WITHDRAWN = "withdrawn", _("Reader withdrawn")
        REMINDED = "reminded", _("Reader reminded")
        ANSWERS_IMPORTED = "imported", _("Answers imported")
        ANSWER_REFUSED = "refused", _("Answer refused")
        CLOSED = "closed", _("Closed")
        UNBLINDED = "unblinded", _("Unblinded before closing")
        THRESHOLDS = "limits", _("Thresholds fixed")
        PANEL = "panel", _("Votes of the panel")
        COMPUTED = "computed", _("Results computed")
        CONSENTED = "consented", _("Consent given")
        DEADLINE = "deadline", _("Deadline set")
        RETRY = "retry", _("Practice allowed once more")
        TAKEN_OUT = "taken_out", _("Photos taken out: consent withdrawn")

    study = models.ForeignKey(Study, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reader = models.ForeignKey("reader_study.Reader", models.SET_NULL, null=True, related_name="events")
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    # An amendment: {field: [from, to]}; else what is worth keeping.
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.study}: {self.get_kind_display()}"
