"""What a curator says of an import's table: its encoding, columns, words and what holds for all of its photos."""

import hashlib
from itertools import islice

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from skinclinic.archive.formats import one_hot
from skinclinic.archive.formats.columns import DEFAULTS, LEAVE_OUT, LEAVE_OUT_ROW, MAPPABLE, NEEDED, READERS
from skinclinic.archive.formats.encodings import CANDIDATES, NotCertain
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.formats.values import DAY_FIRST, MONTH_FIRST
from skinclinic.archive.formats.words import headers
from skinclinic.archive.models import LABEL_LENGTH, Import, SavedMapping
from skinclinic.archive.presenters import import_words
from skinclinic.archive.presenters.label_names import group_name, known_label
from skinclinic.archive.services.importing import imports as service
from skinclinic.archive.services.importing import tables
from skinclinic.permissions import CURATE, clinic_member, get_for
from skinclinic.web.counts import gettext as _
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import MemberRequest, SignedInRequest

MOST_WORDS = 500
MOST_KNOWN = 100
SAMPLED_ROWS, SAMPLES = 200, 3


@require_POST
def import_map(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say what columns and words mean, keep that under a name if wanted, and check again."""
    row = get_for(request.user, Import, pk, CURATE)
    try:
        if request.POST.get("use_saved"):
            _use_saved(row, request.POST.get("saved", ""))
            return redirect("import", row.pk)
        service.set_mapping(row, **_said(request, row))
        name = request.POST.get("save_as", "").strip()[:120]
        if name and storable(name):
            service.save_mapping(row, name, request.user)
        service.request_check(row)
    except service.NotNow as refused:
        messages.warning(request, str(refused))
    return redirect("import", row.pk)


def _said(request: HttpRequest, row: Import) -> dict:
    """What the form says; what it does not show stays as it is."""
    labels = {word: label for word in label_words(row) if (label := _meaning(request, word)) is not None}
    columns = {name: request.POST.get(f"column-{name}", "")[:200] for name in READERS}
    columns = {name: column for name, column in columns.items() if column and storable(column)}
    words: dict[str, dict[str, str]] = {}
    for field in MAPPABLE:
        for word in _field_words(row, field):
            if (value := _value(request, field, word)) is not None:
                words.setdefault(field, {})[word] = value
    said: dict = {"labels": labels, "columns": columns or None, "words": words}
    if request.POST.get("encoding") in CANDIDATES:
        said["encoding"] = request.POST["encoding"]
    if "level" in request.POST:
        said["level"] = _level(request.POST["level"])
    defaults = {
        name: request.POST[f"default-{name}"][:80] for name in DEFAULTS if f"default-{name}" in request.POST
    }
    if defaults:
        kept = {**row.defaults, **{name: value for name, value in defaults.items() if _holds(name, value)}}
        said["defaults"] = {name: value for name, value in kept.items() if value}
    return said


def _holds(name: str, value: str) -> bool:
    choices = {name for name, _label in default_choices(name)} if name != "ethnicity" else set()
    return not value or (storable(value) if name == "ethnicity" else value in choices)


def default_choices(name: str) -> list[tuple[str, str]]:
    """What may hold for all photos of which the table says nothing."""
    if name == "dates":
        return [(DAY_FIRST, _("day first: 3/5 is 3 May")), (MONTH_FIRST, _("month first: 3/5 is 5 March"))]
    if name == "missing":
        return [(LEAVE_OUT_ROW, _("leave them out, and name them"))]
    return import_words.allowed(name)


def shown_defaults(row: Import) -> dict:
    """What holds for all photos of which the table says nothing, and the folder that names the disease."""
    names = {
        "kind": _("Kind of photo, where the table does not say"),
        "confirmed_by": _("Confirmed by, where the table does not say"),
        "dates": _("Dates such as 3/5/2024"),
        "missing": _("Rows whose photo is not there"),
    }
    return {
        "selects": [
            {
                "name": name,
                "label": label,
                "value": row.defaults.get(name, ""),
                "choices": default_choices(name),
            }
            for name, label in names.items()
        ],
        "ethnicity": row.defaults.get("ethnicity", ""),
        "level": row.level,
        "has_level": row.format in ("folder", "dermofit", "med-node", "dicom"),
    }


def _level(text: str) -> int:
    try:
        return max(-9, min(9, int(text)))
    except ValueError:
        return 0


def _meaning(request: HttpRequest, word: str) -> str | None:
    """What the curator says the word means: chosen, or typed and not chosen; None: not asked."""
    chosen, typed = (request.POST.get(f"word-{_place(word)}{end}") for end in ("", "_typed"))
    if chosen is None or not storable(chosen + (typed or "")):
        return None
    return (chosen or known_label((typed or "").strip())).strip()[:LABEL_LENGTH]


def _value(request: HttpRequest, field: str, word: str) -> str | None:
    name = f"value-{field}-{_place(word)}"
    chosen, typed = (request.POST.get(f"{name}{end}") for end in ("", "_typed"))
    if chosen is None or not storable(chosen + (typed or "")):
        return None
    return (chosen or import_words.value_of(field, typed or ""))[:LABEL_LENGTH]


def _use_saved(row: Import, pk: str) -> None:
    """Read the import by a mapping that was kept, and check it so."""
    known = SavedMapping.objects.filter(clinic=row.clinic)
    mapping = known.filter(pk=pk).first() if is_key(pk) else None
    if mapping is None:
        raise service.NotNow(_("This saved mapping is no longer there."))
    service.set_mapping(
        row, labels=mapping.labels, columns=mapping.columns or None, words=mapping.words,
        defaults={**row.defaults, **mapping.defaults},
    )  # fmt: skip
    service.request_check(row)


@clinic_member()
@require_safe
def value_terms(request: MemberRequest) -> JsonResponse:
    """``?field=``, ``?q=`` text typed: {"terms": [{value, label, detail}]} that the field may hold."""
    field, query = request.GET.get("field", ""), request.GET.get("q", "")[:LABEL_LENGTH]
    found = import_words.terms(field, query) if import_words.is_mappable(field) and storable(query) else []
    return JsonResponse({"terms": found})


def label_words(row: Import) -> list[str]:
    """The words a curator has to decide on, or has decided: those not known first, then the mapped ones."""
    return list(dict.fromkeys([*row.report.get("unknown_labels", {}), *row.labels]))[:MOST_WORDS]


def _field_words(row: Import, field: str) -> list[str]:
    listed = [one["word"] for one in row.report.get("words", {}).get(field, [])]
    return list(dict.fromkeys([*listed, *row.words.get(field, {})]))[:MOST_WORDS]


def shown_labels(row: Import) -> list[dict]:
    """The words for diseases, how often they stand there, and what they were said to mean."""
    says = {one["word"]: one["says"] for one in row.report.get("label_words", []) if "says" in one}
    counts = {one["word"]: one["count"] for one in row.report.get("label_words", []) if "count" in one}
    counts |= row.report.get("unknown_labels", {})
    rows = row.report.get("unknown_label_rows", {})
    found = []
    for word in label_words(row):
        value = row.labels.get(word, "")
        found.append(
            {
                "name": f"word-{_place(word)}", "word": word, "value": value, "says": says.get(word, ""),
                "count": counts.get(word), "rows": rows.get(word, []),
                "typed": _("Leave out") if value == LEAVE_OUT else group_name(value) if value else "",
            }
        )  # fmt: skip
    return found


def known_labels(row: Import) -> list[dict]:
    """The words for diseases that were understood."""
    listed = [
        one for one in row.report.get("label_words", []) if "means" in one and one["word"] not in row.labels
    ]
    return listed[:MOST_KNOWN]


def shown_fields(row: Import) -> list[dict]:
    """The other fields whose words can be mapped: those nobody knows or that were mapped, and the understood ones."""
    names, found = import_words.field_names(), []
    for field in MAPPABLE:
        said = row.words.get(field, {})
        listed = {one["word"]: one for one in row.report.get("words", {}).get(field, [])}
        words = [
            _shown_word(field, word, said.get(word, ""), listed.get(word))
            for word in _field_words(row, field)
        ]
        asked = [one for one in words if one["value"] or not one["known"]]
        known = [one for one in words if not one["value"] and one["known"]]
        if asked or known:
            found.append(
                {
                    "field": field, "name": names[field], "asked": asked, "known": known[:MOST_KNOWN],
                    "allowed": [name for _value, name in import_words.allowed(field)],
                }
            )  # fmt: skip
    return found


def _shown_word(field: str, word: str, value: str, listed: dict | None) -> dict:
    means = import_words.value_name(field, listed["means"]) if listed and listed["known"] else ""
    return {
        "name": f"value-{field}-{_place(word)}", "word": word, "count": listed["count"] if listed else None,
        "known": listed["known"] if listed else True, "means": means or _("Not known"), "value": value,
        "typed": import_words.value_name(field, value) if value else "",
    }  # fmt: skip


def _place(word: str) -> str:
    """The name of a word's field: another check meanwhile must not give its answer to another word."""
    return hashlib.sha256(word.encode()).hexdigest()[:12]


def columns_of(row: Import) -> tuple[list[dict], str, list[dict]]:
    """Each of our fields with the column chosen for it, and the table's columns with some of their cells; or why there
    are none, and the encodings to choose from."""
    if not row.metadata:
        return [], "", []
    try:
        table = tables.opened(row)
        samples = _samples(table)
    except (TableRefused, OSError) as refused:
        if isinstance(refused, TableRefused):
            # The report says it already.
            said = "" if row.report.get("refused") else _(refused.message) % refused.params
            return [], said, refused.to_json() if isinstance(refused, NotCertain) else []
        return [], _("The table is no longer there."), []
    names = [name for name in table.columns if name]
    # What a person has named holds; until then what the names of the columns say is offered.
    chosen = row.columns or headers.offered(names)
    words = import_words.field_names()
    offered = [(name, name, ", ".join(samples.get(name, []))) for name in names]
    own: list[tuple[str, str, str]] = []
    if found := one_hot.columns_of(table):
        own = [(one_hot.EACH_ITS_OWN, _("a column for each disease, 0 or 1"), ", ".join(found))]
        if "label" not in chosen:
            chosen = {**chosen, "label": one_hot.EACH_ITS_OWN}
    return [
        {"field": field, "word": words[field], "chosen": chosen.get(field, ""),
         "names": [*own, *offered] if field == "label" else offered, "needed": field in NEEDED}
        for field in READERS
    ], "", []  # fmt: skip


def _samples(table: Table) -> dict[str, list[str]]:
    """{column: some different cells of it}."""
    found: dict[str, list[str]] = {}
    for record in islice(table.records(), SAMPLED_ROWS):
        for name, text in record.cells.items():
            held = found.setdefault(name, [])
            if text and len(held) < SAMPLES and text[:24] not in held:
                held.append(text[:24])
    return found
