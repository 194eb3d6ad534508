"""A selection of archive entries: what a person searched and filtered, in an address or kept with a dataset."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, Dataset, Entry, Review, Source
from skinclinic.archive.services.searching import search
from skinclinic.models import Clinic, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT_KEYS
from skinclinic.web.inputs import Filters, is_key

OTHERS, MALIGNANT = "others", "malignant"
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Selection(Filters):
    """Filters as text; "" for not asked. ``label``: a disease key, a background disease, "others" or
    "malignant". ``source``, ``dataset``, ``reviewer``: keys of rows. ``disagree``: "1" for photos where the
    model's first choice is another label."""

    q: str = ""
    label: str = ""
    source: str = ""
    dataset: str = ""
    proven: str = ""
    review: str = ""
    reviewer: str = ""
    disagree: str = ""

    ALLOWED = {"proven": (YES, NO), "review": Review.values, "disagree": ("1",)}

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        text = super().tidy(name, text)
        if name in ("source", "dataset", "reviewer"):
            return text if is_key(text) else ""
        return text[:LABEL_LENGTH] if name == "label" else text

    def in_words(self, clinic: Clinic, language: str = "en") -> str:
        """The selection as a phrase for people."""
        rows = {
            "source": Source.objects.filter(clinic=clinic, pk=self.source or 0),
            "dataset": Dataset.objects.filter(clinic=clinic, pk=self.dataset or 0),
            "reviewer": User.objects.filter(memberships__clinic=clinic, pk=self.reviewer or 0),
        }
        named = {
            name: str(found.first() or "–") if getattr(self, name) else "" for name, found in rows.items()
        }
        label = {OTHERS: _("others"), MALIGNANT: _("malignant")}.get(self.label)
        parts = [
            f"“{self.q}”" if self.q else "",
            (label or labels.name(self.label, language)) if self.label else "",
            {YES: _("biopsy-proven"), NO: _("not proven")}.get(self.proven, ""),
            str(Review(self.review).label) if self.review else "",
            _("source %(name)s") % {"name": named["source"]} if named["source"] else "",
            _("dataset %(name)s") % {"name": named["dataset"]} if named["dataset"] else "",
            _("reviewed by %(name)s") % {"name": named["reviewer"]} if named["reviewer"] else "",
            _("the model disagrees") if self.disagree else "",
        ]
        return " · ".join(filter(None, parts)) or _("all photos of the archive")


def _labelled(rows: QuerySet[Entry], label: str) -> QuerySet[Entry]:
    if label == OTHERS:
        return rows.exclude(label__in=DISEASE_KEYS)
    if label == MALIGNANT:
        return rows.filter(label__in=MALIGNANT_KEYS)
    return rows.filter(label=label) if label else rows


def entries(clinic: Clinic, selection: Selection) -> QuerySet[Entry]:
    """The clinic's entries of a selection, unordered. Raises query_text.QueryError."""
    found = _labelled(Entry.objects.filter(clinic=clinic), selection.label)
    if selection.source:
        found = found.filter(source=int(selection.source))
    if selection.dataset:
        owned = Dataset.objects.filter(clinic=clinic, pk=int(selection.dataset))
        found = found.filter(search.in_datasets(list(owned.values_list("pk", flat=True))))
    if selection.proven:
        found = found.filter(is_proven=selection.proven == YES)
    if selection.review:
        found = found.filter(review=selection.review)
    if selection.reviewer:
        found = found.filter(reviewed_by=int(selection.reviewer))
    if selection.disagree:
        found = found.filter(disagreement__gt=0)
    if selection.q:
        condition = search.condition(clinic, selection.q)
        found = found.filter(condition) if condition != Q() else found
    return found.order_by()
