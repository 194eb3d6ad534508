"""A selection of archive entries: what a person searched and filtered, in an address or kept with a dataset."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from skinclinic.archive import labels
from skinclinic.archive.models import LABEL_LENGTH, Dataset, Entry, Review, Source
from skinclinic.archive.services.curating import opinions
from skinclinic.archive.services.searching import facts, search
from skinclinic.models import Clinic, Patient, Photo, User
from skinclinic.vocabulary import sites, tags
from skinclinic.vocabulary.diseases import DISEASE_KEYS, MALIGNANT_KEYS
from skinclinic.web.inputs import Filters, is_key

OTHERS, MALIGNANT = "others", "malignant"
YES, NO = "yes", "no"
UNKNOWN, ANY_TAG = "unknown", "any"
OLDEST = 150
# The Fitzpatrick types people group by.
SKINS = {
    "1": "I",
    "2": "II",
    "3": "III",
    "4": "IV",
    "5": "V",
    "6": "VI",
    "12": "I–II",
    "34": "III–IV",
    "56": "V–VI",
}
OPINIONS = {
    opinions.NONE: gettext_lazy("no second opinion"),
    opinions.AGREE: gettext_lazy("second opinion agrees"),
    opinions.DIFFER: gettext_lazy("second opinion differs"),
    opinions.SETTLED: gettext_lazy("agreed on after a second opinion"),
}


@dataclass(frozen=True)
class Selection(Filters):
    """Filters as text; "" for not asked. ``label``: a disease key, a background disease, "others" or
    "malignant". ``source``, ``dataset``, ``reviewer``: keys of rows. ``disagree``: "1" for photos where the
    model's first choice is another label. ``age`` is a range of years such as "60..70", ``skin`` one of ``SKINS``,
    ``opinion`` how the second opinion stands to the label."""

    q: str = ""
    label: str = ""
    source: str = ""
    dataset: str = ""
    proven: str = ""
    review: str = ""
    reviewer: str = ""
    disagree: str = ""
    age: str = ""
    sex: str = ""
    skin: str = ""
    site: str = ""
    kind: str = ""
    tag: str = ""
    opinion: str = ""

    ALLOWED = {
        "proven": (YES, NO), "review": Review.values, "disagree": ("1",), "sex": (*Patient.Sex.values, UNKNOWN),
        "skin": (*SKINS, UNKNOWN), "site": (*(key for key, _name in sites.SITES), UNKNOWN), "kind": Photo.Kind.values,
        "tag": (*tags.TAG_KEYS, ANY_TAG, UNKNOWN), "opinion": opinions.STATES,
    }  # fmt: skip

    @classmethod
    def tidy(cls, name: str, text: str) -> str:
        text = super().tidy(name, text)
        if name in ("source", "dataset", "reviewer"):
            return text if is_key(text) else ""
        if name == "age":
            return text if facts.range_of(text, OLDEST) else ""
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
            *self._facts_in_words(),
        ]
        return " · ".join(filter(None, parts)) or _("all photos of the archive")

    def _facts_in_words(self) -> list[str]:
        unknown = {UNKNOWN: _("not known")}
        named = {
            _("age"): self.age.replace("..", "–"),
            _("sex"): _name(self.sex, {**dict(Patient.Sex.choices), **unknown}),
            _("skin type"): _name(self.skin, {**SKINS, **unknown}),
            _("site"): _name(self.site, {**dict(sites.SITES), **unknown}),
            _("tag"): _name(self.tag, {**dict(tags.TAGS), ANY_TAG: _("any"), UNKNOWN: _("none")}),
        }
        found = [f"{what} {value}" for what, value in named.items() if value]
        found += [_name(self.kind, dict(Photo.Kind.choices)), _name(self.opinion, OPINIONS)]
        return found


def _name(key: str, names: dict) -> str:
    return str(names.get(key, key)) if key else ""


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
    for condition in _facts(clinic, selection):
        found = found.filter(condition)
    if selection.q:
        condition = search.condition(clinic, selection.q)
        found = found.filter(condition) if condition != Q() else found
    return found.order_by()


def _facts(clinic: Clinic, chosen: Selection) -> list[Q]:
    """The conditions of the filters by facts, tags and opinions."""
    found = []
    if chosen.age and (years := facts.range_of(chosen.age, OLDEST)):
        found.append(facts.age_in(*years))
    if chosen.sex:
        found.append(Q(sex="" if chosen.sex == UNKNOWN else chosen.sex))
    if chosen.skin:
        first, last = chosen.skin[0], chosen.skin[-1]
        found.append(Q(skin_type=None) if chosen.skin == UNKNOWN else facts.skin_in(int(first), int(last)))
    if chosen.site:
        found.append(Q(site="") if chosen.site == UNKNOWN else facts.site_in(chosen.site))
    if chosen.kind:
        found.append(facts.kind_is(clinic, [chosen.kind]))
    if chosen.tag:
        simple = {UNKNOWN: Q(tags=""), ANY_TAG: ~Q(tags="")}
        found.append(simple.get(chosen.tag) or facts.tagged(chosen.tag))
    if chosen.opinion:
        found.append(opinions.condition(chosen.opinion))
    return found
