"""What a search finds among archive entries: the tree of ``query_text`` as a condition."""

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from skinclinic.archive.models import BackgroundDisease, Dataset, DatasetItem, DatasetVersion, Entry, Source
from skinclinic.archive.services import size
from skinclinic.archive.services.datasets import counted, large
from skinclinic.archive.services.searching import facts, query_text
from skinclinic.archive.services.searching.facts import NOTHING
from skinclinic.archive.services.searching.query_text import Both, Either, Node, Not, QueryError, Term
from skinclinic.models import Clinic, Patient
from skinclinic.services.held import holding, is_of_signs
from skinclinic.services.patients import formerly
from skinclinic.vocabulary import listed, subtypes, terms
from skinclinic.vocabulary.days import span
from skinclinic.vocabulary.matching import fold
from skinclinic.web.counts import gettext as _

_MANY_PATIENTS = 500
# So many entries may be named by their keys.
_FEW_OUTSIDE = 2000


def condition(clinic: Clinic, text: str) -> Q:
    """Return which entries of the clinic the text finds. Raises QueryError."""
    node = query_text.parse(text)
    return Q() if node is None else _of(clinic, node)


def explain(error: QueryError) -> str:
    """The error in words for the person who typed."""
    messages = {
        "too_long": _("The search is longer than %(most)d characters.") % {"most": query_text.LONGEST},
        "too_many": _("The search has more than %(most)d words.") % {"most": query_text.MOST_TERMS},
        "too_deep": _("The parentheses are nested too deeply."),
        "unclosed": _("At character %(at)d, %(word)s is not closed."),
        "unopened": _("At character %(at)d, a parenthesis closes that was not opened."),
        "unknown_field": _("At character %(at)d: there is no field “%(word)s”. Fields: %(fields)s."),
        "nothing": _("At character %(at)d a word is missing."),
    }
    return messages[error.code] % {
        "at": error.position + 1,
        "word": error.word,
        "fields": ", ".join(query_text.FIELDS),
    }


def _of(clinic: Clinic, node: Node) -> Q:
    if isinstance(node, Not):
        if isinstance(node.node, Term) and node.node.field == "dataset":
            return _not_in_datasets(clinic, node.node.text.strip())
        return ~_of(clinic, node.node)
    if isinstance(node, Both):
        found = Q()
        for part in node.nodes:
            found &= _of(clinic, part)
        return found
    if isinstance(node, Either):
        found = _of(clinic, node.nodes[0])
        for part in node.nodes[1:]:
            found |= _of(clinic, part)
        return found
    return _term(clinic, node)


def _term(clinic: Clinic, term: Term) -> Q:
    text = term.text.strip()
    if not text:
        return NOTHING
    if term.field in facts.FIELDS:
        return facts.FIELDS[term.field](clinic, text)
    if term.field:
        return {
            "diagnosis": _diagnosis,
            "icd10": _icd10,
            "patient": _patient,
            "text": _text,
            "date": _date,
            "dataset": _dataset,
            "source": _source,
            "subtype": _subtype,
        }[term.field](clinic, text)
    found = _diagnosis(clinic, text) | _patient(clinic, text) | _text(clinic, text) | _subtype(clinic, text)
    return found | _icd10(clinic, text) | _date(clinic, text)


def _diagnosis(clinic: Clinic, text: str) -> Q:
    keys = [term.value for term in terms.find(text, "en")] if len(fold(text).strip()) > 1 else []
    entry = listed.called(text)
    names = BackgroundDisease.objects.filter(clinic=clinic, name__icontains=text).values_list(
        "name", flat=True
    )
    # A diagnosis of the list has its English name; people may look for it by any other.
    called = [] if entry is None else [entry.key]
    wanted = [*keys, *called, *names[:200]]
    return Q(label__in=wanted) if wanted else NOTHING


def _icd10(clinic: Clinic, text: str) -> Q:
    code = terms.icd10_code(text)
    return Q(icd10__startswith=code) if code else NOTHING


def _patient(clinic: Clinic, text: str) -> Q:
    """Patients whose code begins so; an imported one's also without its source's name before it."""
    begins = ("code__istartswith", text), ("code__icontains", f"/{text}")
    coded = Patient.objects.filter(clinic=clinic)
    if is_of_signs(text):  # Of which the index that these conditions go by knows nothing.
        coded = coded.filter(holding(coded, "code", text))
    coded = coded.filter(Q(*begins, _connector=Q.OR))
    keys, former = coded.order_by().values_list("pk", flat=True), formerly(clinic, code__istartswith=text)
    if connection.features.supports_slicing_ordering_in_compound:
        # Newest first, so that of many no more are read than it takes to see that they are.
        keys = keys.order_by("-pk")[: _MANY_PATIENTS + 1]
    # Each half by its own index.
    ids = list(keys.union(former, all=True)[: _MANY_PATIENTS + 1])
    if len(ids) > _MANY_PATIENTS:
        # Asked of each entry in the order of the page, where the next is never far; a list of them would grow.
        many = Q(*((f"patient__{lookup}", value) for lookup, value in begins), _connector=Q.OR)
        return many | Q(patient__in=list(former))
    return Q(patient__in=ids) if ids else NOTHING


def _text(clinic: Clinic, text: str) -> Q:
    return holding(Entry.objects.filter(clinic=clinic), "text", text)


def _subtype(clinic: Clinic, text: str) -> Q:
    # What is stored is a key; people look for the name they see.
    held = holding(Entry.objects.filter(clinic=clinic), "subtype", text)
    return held | Q(subtype__in=subtypes.like(text))


def _source(clinic: Clinic, text: str) -> Q:
    return Q(
        source__in=list(
            Source.objects.filter(clinic=clinic, name__icontains=text).values_list("pk", flat=True)
        )
    )


def _dataset(clinic: Clinic, text: str) -> Q:
    return in_datasets(_called(clinic, text)) if text else NOTHING


def _called(clinic: Clinic, text: str) -> list[int]:
    found = Dataset.objects.filter(clinic=clinic, name__icontains=text)
    return list(found.values_list("pk", flat=True)[:50])


def _not_in_datasets(clinic: Clinic, text: str) -> Q:
    """Entries outside. Where a dataset holds nearly all of the archive, looking for the others in the order of a page
    would ask for each entry, again for every part of the page: then they are named by keys. Of a large version a job
    has found them; what has come since is looked at here."""
    datasets = _called(clinic, text) if text else []
    inside, newest = in_datasets(datasets), _newest(datasets)
    largest = max(newest, key=lambda version: version.photos or 0, default=None)
    if largest is None or not largest.photos or size.entries(clinic) - largest.photos > _FEW_OUTSIDE:
        return ~inside
    entries = Entry.objects.filter(clinic=clinic).order_by()
    found = counted.outside(largest) if largest.photos > large.MOST_AT_ONCE else None
    if found:
        entries = entries.filter(pk__gt=found.up_to)
    # All of them, few as they are: of the first so many PostgreSQL would ask for each entry, six times as long.
    keys = list(entries.filter(~inside).values_list("pk", flat=True)) + (found.keys if found else [])
    if len(keys) > _FEW_OUTSIDE:
        return ~inside
    return Q(pk__in=keys) & ~inside if found and len(newest) > 1 else Q(pk__in=keys)


def in_datasets(datasets: list[int]) -> Q:
    """Entries in the newest version of any of these datasets."""
    newest = _newest(datasets)
    items = DatasetItem.objects.filter(version__in=newest, entry=OuterRef("pk"))
    return Q(Exists(items)) if newest else NOTHING


def _newest(datasets: list[int]) -> list[DatasetVersion]:
    versions = DatasetVersion.objects.filter(dataset__in=datasets).order_by("dataset", "-number")
    newest: dict[int, DatasetVersion] = {}
    for version in versions.only("pk", "clinic", "dataset", "photos", "revision"):
        newest.setdefault(version.dataset_id, version)
    return list(newest.values())


def _date(clinic: Clinic, text: str) -> Q:
    first, _dots, last = text.partition("..")
    start, end = span(first), span(last or first)
    if start is None or end is None:
        return NOTHING
    return Q(taken_on__gte=start[0], taken_on__lt=end[1])
