from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DatasetRole(models.TextChoices):
    TRAIN = "train", _("Training")
    TEST = "test", _("Test")
    BOTH = "both", _("Training and test")


class Import(models.Model):
    """One import of photos with a table: first checked as a whole, then written, a photo at a time.

    The files lie in ``folder`` below SKINCLINIC_HOME/imports (uploads) or where ``photos`` and ``metadata``
    say (the command). ``report`` is what the check found; ``written`` counts the rows that are done, so that
    a stopped import goes on where it was.
    """

    class Format(models.TextChoices):
        PAD_UFES_20 = "pad-ufes-20", "PAD-UFES-20"
        ISIC = "isic", "ISIC Archive"
        ISIC_2019 = "isic-2019", "ISIC 2018, 2019"
        ISIC_2020 = "isic-2020", "ISIC 2020"
        HAM10000 = "ham10000", "HAM10000"
        BCN20000 = "bcn20000", "BCN20000"
        MILK10K = "milk10k", "MILK10k"
        ISIC_MULTI = "isic-multi", "ISIC MultiImage"
        DDI = "ddi", "DDI"
        FITZPATRICK17K = "fitzpatrick17k", "Fitzpatrick17k"
        SCIN = "scin", "SCIN"
        DERM7PT = "derm7pt", "derm7pt"
        MED_NODE = "med-node", "MED-NODE"
        DERMOFIT = "dermofit", "Dermofit"
        FOLDER = "folder", _("One folder per disease")
        DICOM = "dicom", _("DICOM photos")
        CSV = "csv", _("Any table")
        CROISSANT = "croissant", "Croissant (MLCommons)"
        EXPORT = "skinclinic", _("SkinClinic export")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Not checked yet")
        CHECKING = "checking", _("Checking")
        REFUSED = "refused", _("Has errors")
        READY = "ready", _("Ready to import")
        RUNNING = "running", _("Importing")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Failed")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="imports")
    name = models.CharField(_("dataset name"), max_length=120)
    format = models.CharField(_("format"), max_length=24, choices=Format.choices)
    role = models.CharField(_("role"), max_length=5, choices=DatasetRole.choices, default=DatasetRole.BOTH)
    source = models.ForeignKey("archive.Source", models.PROTECT, null=True, related_name="imports")
    # Empty: a table alone, for photos that the source has already.
    photos = models.CharField(max_length=1000, blank=True)
    metadata = models.CharField(max_length=1000, blank=True)
    # A second table that belongs to the first (see ``formats.joined``).
    second = models.CharField(max_length=1000, blank=True)
    # In which encoding the table is read; empty: as it says itself.
    encoding = models.CharField(max_length=20, blank=True)
    # Which folder names the disease (see ``formats.folders``); 0: as the format says.
    level = models.SmallIntegerField(default=0)
    # {our field: their column} and {their label: our label, "" for not decided, "-" to leave its rows out};
    # {field: {their word: ours}} of other fields; {field: what holds where the table says nothing}.
    columns = models.JSONField(default=dict, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    words = models.JSONField(default=dict, blank=True)
    defaults = models.JSONField(default=dict, blank=True)
    # What a curator wants of the source's changes (see ``services.importing.changes``).
    decisions = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.UPLOADED)
    report = models.JSONField(default=dict, blank=True)
    total = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_format_display()})"


class SavedMapping(models.Model):
    """How a kind of table is read: its columns, its words and what holds for all; kept for the next time."""

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="saved_mappings")
    name = models.CharField(_("name"), max_length=120)
    format = models.CharField(max_length=24, choices=Import.Format.choices)
    columns = models.JSONField(default=dict)
    labels = models.JSONField(default=dict)
    words = models.JSONField(default=dict)
    defaults = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="one_mapping_a_name")]

    def __str__(self) -> str:
        return self.name
