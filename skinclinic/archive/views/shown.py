"""What gallery, queue and entry page share: filters, choices of labels, words for reasons."""

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import BackgroundDisease, Dataset, Entry, RejectReason, Review, Source
from skinclinic.archive.services import review as review_service
from skinclinic.archive.services import search, selection
from skinclinic.archive.services.query_text import QueryError
from skinclinic.diseases import DISEASES
from skinclinic.models import Clinic, Member, Role

MOST_BACKGROUND = 500


def selected(clinic: Clinic, chosen: selection.Selection):
    """(entries, "") or (no entries, what is wrong with the search)."""
    try:
        return selection.entries(clinic, chosen), ""
    except QueryError as error:
        return Entry.objects.none(), search.explain(error)


def filter_choices(clinic: Clinic) -> dict:
    """The choices of the filter bar."""
    curators = Member.objects.filter(clinic=clinic, role__in=(Role.CURATOR, Role.ADMIN)).select_related(
        "user"
    )
    return {
        "label_choices": label_choices(clinic),
        "sources": list(Source.objects.filter(clinic=clinic)[:200]),
        "datasets": list(Dataset.objects.filter(clinic=clinic)[:200]),
        "reviewers": [member.user for member in curators],
        "reviews": Review.choices,
    }


def label_choices(clinic: Clinic) -> list[tuple[str, list[tuple[str, str]]]]:
    """(group, [(label, name)]): the 12, then the clinic's background diseases."""
    language = get_language() or "en"
    names = BackgroundDisease.objects.filter(clinic=clinic).values_list("name", flat=True)[:MOST_BACKGROUND]
    return [
        (_("The 12 diseases"), [(disease.key, disease.name(language)) for disease in DISEASES]),
        (_("Others"), [(name, name) for name in names]),
    ]


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
    }[error.code]


def label_name(label: str) -> str:
    return labels.name(label, get_language() or "en")


def cursor_of(request: HttpRequest) -> str:
    return request.GET.get("cursor", "")
