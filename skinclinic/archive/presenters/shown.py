"""What gallery, queue and entry page share: filters, choices of labels, words for reasons."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import get_language

from skinclinic.archive import labels
from skinclinic.archive.models import (
    LABEL_LENGTH,
    Dataset,
    DatasetVersion,
    Entry,
    RejectReason,
    Review,
    Source,
)
from skinclinic.archive.presenters.label_names import group_name, known_label
from skinclinic.archive.services.curating import review as review_service
from skinclinic.archive.services.searching import search, selection
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.kept_queries import kept
from skinclinic.models import Clinic, Lesion, Member, Patient, Photo, Role
from skinclinic.services import worklist
from skinclinic.vocabulary import sites, tags
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

MOST_COUNTED = 10_000
# The filters that fold away.
FACTS = ("age", "sex", "skin", "site", "kind", "tag", "opinion")


def selected(clinic: Clinic, chosen: selection.Selection, viewer: Member | None = None):
    """(entries, "") or (no entries, what is wrong with the search). For a ``viewer`` without what must not be told yet
    (``leaves_out_own``)."""
    try:
        found = selection.entries(clinic, chosen)
    except QueryError as error:
        return Entry.objects.none(), search.explain(error)
    return (found.exclude(source__is_own=True) if leaves_out_own(viewer, chosen) else found), ""


def leaves_out_own(viewer: Member | None, chosen: selection.Selection) -> bool:
    """Whether a filter by the model's answer is only for photos of others: of own patients the own impression comes
    first. Who curates has asked the model, and is kept back what is theirs to judge photo by photo."""
    if viewer is None or not chosen.disagree:
        return False
    return not (viewer.can_curate or worklist.answers_are_open(viewer))


def kept_back(viewer: Member | None, entries: Iterable[Entry]) -> set[int]:
    """The entries whose model's answer must not be shown to this member yet: of own patients, where an answer was
    asked for."""
    own = {
        entry.photo_id: entry.pk
        for entry in entries
        if entry.disagreement and entry.source.is_own and entry.photo.lesion.state != Lesion.State.EMPTY
    }
    if viewer is None or not own:
        return set()
    return {own[photo] for photo in worklist.hidden_answers(viewer.user, viewer, own)}


def selection_of(request: HttpRequest) -> selection.Selection:
    """What the address asks for; a label that was typed and not chosen is taken by its name."""
    values = request.GET.dict()
    if not values.get("label") and values.get("label_typed"):
        values["label"] = known_label(values["label_typed"][:LABEL_LENGTH].strip())
    return selection.Selection.read(values)


def filter_choices(clinic: Clinic, chosen: selection.Selection) -> dict:
    """The choices of the filter bar."""
    datasets = _datasets(clinic.pk)
    return {
        "label_typed": group_name(chosen.label) if chosen.label else "",
        "narrowed": sum(1 for name in chosen.to_json() if name != "q"),
        "sources": _sources(clinic.pk),
        "datasets": datasets,
        "drafts": [dataset for dataset in datasets if dataset.draft],
        "reviewers": [member.user for member in _curators(clinic.pk)],
        "reviews": Review.choices,
        "facts_chosen": [name for name in FACTS if getattr(chosen, name)],
        "sexes": Patient.Sex.choices,
        "skins": list(selection.SKINS.items()),
        "sites": sites.ANATOMIC_SITES,
        "wider_sites": sites.WIDER_SITES,
        "kinds": Photo.Kind.choices,
        "tags": tags.TAGS,
        "opinions": list(selection.OPINIONS.items()),
    }


@kept
def _datasets(clinic: int) -> QuerySet[Any, Any]:
    drafts = DatasetVersion.objects.filter(dataset=OuterRef("pk"), state=DatasetVersion.State.DRAFT)
    return Dataset.objects.filter(clinic=clinic).annotate(
        draft=Subquery(drafts.values("pk")[:1]), draft_number=Subquery(drafts.values("number")[:1])
    )[:200]


@kept
def _sources(clinic: int) -> QuerySet[Source]:
    return Source.objects.filter(clinic=clinic)[:200]


@kept
def _curators(clinic: int) -> QuerySet[Member]:
    members = Member.objects.filter(clinic=clinic, role__in=(Role.CURATOR, Role.ADMIN))
    return members.select_related("user")


def reasons() -> list[tuple[str, str]]:
    """Why a photo is rejected, in the order of the keys 1 to 8."""
    return [(value, str(label)) for value, label in RejectReason.choices]


def in_words(error: review_service.ReviewError) -> str:
    """A refusal of the review service for people."""
    return {
        "no_reason": _("Choose why the photo is rejected."),
        "no_label": _("A label is needed: one of the 12 diseases or the name of another."),
        "long_label": _("The name of a disease has at most 120 characters."),
        "changed_since": _("The photo was changed again since; only the newest change can be undone."),
        "no_why": _("Say why the photo gets another label."),
        "bad_proof": _("Choose how the new label was confirmed, or leave it unproven."),
        "no_tag": _("Choose at least one tag."),
        "own_label": _(
            "You have given or reviewed this label yourself; a second opinion is another curator's."
        ),
        "no_consent": _(
            "The patient of a photo among these does not consent to the archive; it cannot be accepted."
        ),
        "had_opinion": _("Somebody has given a second opinion on this photo meanwhile."),
    }[error.code]


def removed(version: DatasetVersion, n: int) -> str:
    """That so many photos were taken out of a version, as it was before, and what became of its split."""
    text = ngettext("%(count)d photo was taken out.", "%(count)d photos were taken out.", n) % {"count": n}
    if n and version.split:
        text += " " + _("The split was taken back, because the photos are others now: split again.")
    return text


def label_name(label: str) -> str:
    return labels.name(label, get_language() or "en")


def count_of(entries) -> dict:
    """How many there are, counted up to a limit: {"count", "more"}."""
    count = entries[: MOST_COUNTED + 1].count()
    return {"count": min(count, MOST_COUNTED), "more": count > MOST_COUNTED}


def cursor_of(request: HttpRequest) -> str:
    return request.GET.get("cursor", "")
