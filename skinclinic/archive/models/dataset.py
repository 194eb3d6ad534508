from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models.entry import LABEL_LENGTH, Entry
from skinclinic.archive.models.imports import DatasetRole
from skinclinic.vocabulary import tags


class Dataset(models.Model):
    """A named selection of archive photos with a label each; what it holds is in its versions."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="datasets")
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=5, choices=DatasetRole.choices, default=DatasetRole.BOTH)
    description = models.TextField(_("what it is for"), max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "name"],
                name="one_dataset_a_name",
                violation_error_message=_("This clinic already has a dataset with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """A draft, or frozen for good: members, labels and hashes no longer change.

    ``sha256`` is that of the sorted lines "content hash, label, split". ``query`` is the search that chose
    the members; ``split`` says how they were divided: {method, share, seed, said}. ``stated`` is what people
    say of it, for the checks to hold against what is counted: {"minimum": photos a class, "counts": {label: n}}.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        FROZEN = "frozen", _("Frozen")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT)
    query = models.JSONField(default=dict, blank=True)
    split = models.JSONField(default=dict, blank=True)
    stated = models.JSONField(default=dict, blank=True)
    note = models.CharField(_("what changed"), max_length=400, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    # Where its photos come from, as it was when frozen: [{name, licence, …}].
    provenance = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    frozen_at = models.DateTimeField(null=True)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # How many members it has; None: they have to be counted.
    photos = models.PositiveIntegerField(null=True)
    # Goes up with every change of the members and of what is known of them: figures of an earlier one are behind.
    revision = models.PositiveIntegerField(default=0, db_default=0)
    # What a job is to do with it: {"split": {method, share, seed}}, {"continue": key of the version it copies}, ….
    asked = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["dataset", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="one_version_a_number"),
            models.UniqueConstraint(
                fields=["dataset"], condition=models.Q(state="draft"), name="one_draft_a_dataset"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    @property
    def is_frozen(self) -> bool:
        return self.state == self.State.FROZEN


class DatasetFigures(models.Model):
    """What the page of a large version shows of it, counted once by a job (``services.datasets.counted``)."""

    version = models.OneToOneField(DatasetVersion, models.CASCADE, related_name="figures")
    # Of the version when the counting began.
    revision = models.PositiveIntegerField()
    values = models.JSONField(default=dict)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.version_id}: revision {self.revision}"


class DatasetMarked(models.Model):
    """Photos of the archive that a large version does not hold (``kind``), by the keys of their entries; counted
    together with its figures. Versions of the software before had the keys of ``DatasetFound`` here."""

    version = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="marked")
    kind = models.CharField(max_length=40)
    keys = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "kind"], name="one_marked_a_kind")]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.kind}"


class DatasetFound(models.Model):
    """A part of the photos of a large version that something is found of (``kind``), by the keys of their items, lowest
    first; counted together with its figures. ``label``, ``split``: of these alone, where there are many; "" of all."""

    version = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="found")
    kind = models.CharField(max_length=40)
    label = models.CharField(max_length=LABEL_LENGTH, blank=True)
    split = models.CharField(max_length=5, blank=True)
    # Which part, from 0; of what nothing is found there is one, without keys.
    number = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()
    count = models.PositiveIntegerField()
    keys = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind", "label", "split", "number"], name="one_part_a_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.kind} {self.label} {self.split} {self.number}"


class DatasetItem(models.Model):
    """A photo in a version, as it was when it was put there.

    What a summary, a training or an export needs is kept here, so that a frozen version does not follow later
    changes; ``entry`` becomes empty when the photo itself is deleted. ``person`` and ``lesion`` tell patients
    and lesions apart (hex, from the clinic's key); empty: not known. Of one whose patient was erased nothing but
    label and side is left, and its ``content_sha256`` begins with ``WITHDRAWN``.
    """

    WITHDRAWN = "withdrawn:"

    class Split(models.TextChoices):
        TRAIN = "train", _("Training")
        TEST = "test", _("Test")

    version = models.ForeignKey(DatasetVersion, models.CASCADE, related_name="items")
    entry = models.ForeignKey("archive.Entry", models.SET_NULL, null=True, related_name="+")
    content_sha256 = models.CharField(max_length=64)
    phash = models.BigIntegerField(null=True)
    label = models.CharField(max_length=LABEL_LENGTH)
    subtype = models.CharField(max_length=80, blank=True)
    icd10 = models.CharField(max_length=8, blank=True)
    impression = models.CharField(max_length=LABEL_LENGTH, blank=True)
    text = models.CharField(max_length=2000, blank=True)
    confirmed_by = models.CharField(max_length=60, blank=True)
    split = models.CharField(max_length=5, choices=Split.choices, blank=True)
    is_proven = models.BooleanField(default=False)
    person = models.CharField(max_length=16, blank=True)
    lesion = models.CharField(max_length=16, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    is_synthetic = models.BooleanField(default=False)
    taken_on = models.DateField(null=True)
    age = models.PositiveSmallIntegerField(null=True)
    age_to = models.PositiveSmallIntegerField(null=True)
    sex = models.CharField(max_length=8, blank=True)
    skin_type = models.PositiveSmallIntegerField(null=True)
    ethnicity = models.CharField(max_length=80, blank=True)
    site = models.CharField(max_length=24, blank=True)
    source_name = models.CharField(max_length=120, blank=True)
    tags = models.CharField(max_length=tags.LENGTH, blank=True)
    # {column of the ISIC Archive: value} of what its source says and no field here holds (``formats.isic_fields``).
    isic = models.JSONField(null=True, blank=True)

    # The same photo in an earlier version, where two are compared.
    was: "DatasetItem | None"

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["version", "entry"], name="one_item_a_photo")]
        indexes = [
            models.Index(fields=["version", "id"], name="item_in_order"),
            models.Index(fields=["version", "label", "id"], name="item_by_label"),
            models.Index(fields=["version", "content_sha256"], name="item_by_content"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.label}"

    @property
    def is_withdrawn(self) -> bool:
        return self.content_sha256.startswith(self.WITHDRAWN)

    @property
    def kept_entry(self) -> Entry:
        """Its entry, of items whose photo is still there (``entry__isnull=False``)."""
        if self.entry is None:
            raise Entry.DoesNotExist(f"the photo of dataset item {self.pk} has been deleted")
        return self.entry
