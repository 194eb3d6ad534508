from datetime import date

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from skinclinic.vocabulary.sites import SITES

_UNFINISHED = models.Q(state__in=["queued", "running", "failed"])


def _own(fields: list[str], name: str) -> models.Index:
    return models.Index(fields=fields, name=name, condition=models.Q(is_archived=False))


def _only(fields: list[str], name: str, **such: bool | str) -> models.Index:
    """Of few lesions, as a rule: a small index that also counts them."""
    return models.Index(fields=fields, name=name, condition=models.Q(is_archived=False, **such))


class Lesion(models.Model):
    """A lesion of a patient (or of nobody yet, when photos were dropped first).

    The summary fields repeat what the analyses of its photos and its diagnoses say, so that a worklist of
    100,000 lesions needs no joins. The answer is the most suspicious of the last visit and that of
    ``answer_photo``; ``set_aside`` says why there is none although photos were analysed. ``classifier``
    and the diagnosis service keep them true.
    """

    class State(models.TextChoices):
        EMPTY = "empty", _("No photo")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Analysing")
        DONE = "done", _("Analysed")
        FAILED = "failed", _("Failed")

    class SetAside(models.TextChoices):
        OVERVIEW = "overview", _("Overview only")
        DERMOSCOPIC = "dermoscopic", _("Dermoscopic only")
        UNFIT = "unfit", _("Photo unfit")

    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="lesions")
    patient = models.ForeignKey(
        "skinclinic.Patient", models.CASCADE, null=True, blank=True, related_name="lesions"
    )
    site = models.CharField(_("anatomic site"), max_length=24, choices=SITES, blank=True)
    # Where on the body picture, as a share of its width and height.
    site_x = models.FloatField(null=True, blank=True)
    site_y = models.FloatField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=400, blank=True)
    # Made where the photos were taken: those of one place, which may come one by one and days later, find their
    # lesion by it. "": not opened by a photo of a known patient.
    place_key = models.CharField(max_length=36, blank=True, default="")
    # Came with an imported archive: nobody's patient here, so not on the worklist.
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    state = models.CharField(max_length=8, choices=State.choices, default=State.EMPTY)
    top_disease = models.CharField(max_length=16, blank=True)
    top_score = models.FloatField(null=True)
    malignant_sum = models.FloatField(null=True)
    answer_photo = models.ForeignKey("skinclinic.Photo", models.SET_NULL, null=True, related_name="+")
    set_aside = models.CharField(max_length=12, blank=True, choices=SetAside.choices)
    proven_disease = models.CharField(max_length=16, blank=True)
    is_proven = models.BooleanField(default=False)
    cover = models.ForeignKey("skinclinic.Photo", models.SET_NULL, null=True, related_name="+")
    photo_count = models.PositiveIntegerField(default=0)

    # Who sees to it; nobody: whoever opened it.
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # What ``services/cases.py`` sums up: decisions, pathology and what is planned.
    to_decide = models.BooleanField(default=True)
    settled_at = models.DateTimeField(null=True)
    disagrees = models.BooleanField(default=False)
    # Decided as malignant with neither biopsy, pathology nor follow-up.
    is_unplanned = models.BooleanField(default=False)
    biopsy_on = models.DateField(null=True)
    follow_up_on = models.DateField(null=True)

    # Said of those that a patient's page lists.
    answer_is_hidden: bool
    answer_is_unlike: bool
    last_photo_on: date | None

    class Meta:
        ordering = ["-created_at", "-id"]
        # Of the clinic's own lesions: a condition "not archived" is part of each, for in an index a boolean
        # that is negated is not looked up.
        indexes = [
            _own(["clinic", "-created_at", "-id"], "lesion_worklist"),
            _own(["clinic", "state", "-created_at", "-id"], "lesion_by_state"),
            _own(["clinic", "top_disease", "-created_at", "-id"], "lesion_by_disease"),
            _own(["clinic", "-malignant_sum", "-id"], "lesion_by_malignant"),
            models.Index(fields=["clinic", "patient", "-created_at", "-id"], name="lesion_by_patient"),
            _own(["clinic", "created_by", "-created_at", "-id"], "lesion_by_person"),
            _only(["clinic", "-created_at", "-id"], "lesion_proven", is_proven=True),
            _only(["clinic", "-created_at", "-id"], "lesion_to_decide", to_decide=True),
            _only(["clinic", "-settled_at"], "lesion_settled", settled_at__isnull=False),
            _only(["clinic", "-created_at", "-id"], "lesion_disagrees", disagrees=True),
            _only(["clinic", "-created_at", "-id"], "lesion_unplanned", is_unplanned=True),
            _only(["clinic", "biopsy_on", "id"], "lesion_by_biopsy", biopsy_on__isnull=False),
            _only(["clinic", "follow_up_on", "id"], "lesion_by_follow_up", follow_up_on__isnull=False),
            _only(["clinic", "assignee", "-created_at", "-id"], "lesion_by_assignee", assignee__isnull=False),
            # Of the archive, too: as lists of the API narrow them, whose order is that of keys. By the keys alone a
            # small clinic's would be looked for among all.
            models.Index(fields=["clinic", "-id"], name="lesion_by_clinic"),
            _own(["clinic", "-id"], "lesion_own"),
            models.Index(fields=["clinic", "state", "-id"], name="lesion_unfinished", condition=_UNFINISHED),
            _only(["clinic", "-id"], "lesion_empty", state="empty"),
            models.Index(
                fields=["clinic", "site", "-id"], name="lesion_by_site", condition=models.Q(site__gt="")
            ),
            models.Index(
                fields=["clinic", "proven_disease", "-id"],
                name="lesion_by_proof",
                condition=models.Q(proven_disease__gt=""),
            ),
        ]

    def __str__(self) -> str:
        patient = self.patient.code if self.patient else _("no patient yet")
        site = self.get_site_display() or _("site not given")
        return f"{patient} · {site}"

    @property
    def is_of_photo(self) -> bool:
        """Opened by its photo alone, not filed yet or by a tap, be it at the wrong place: nobody wants it without."""
        return self.patient_id is None or bool(self.place_key)

    @property
    def told_by_id(self) -> int | None:
        """The photo whose answer the lesion shows, and which must be opened to see it: its own, else its cover."""
        return self.answer_photo_id or self.cover_id

    @property
    def opens_id(self) -> int | None:
        """The photo that a list leads to: the one whose answer it shows, or the newest while that is under way."""
        return self.told_by_id if self.state == self.State.DONE else self.cover_id
