"""One photo of the archive: its label and how it came to it."""

import json

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.archive.forms.entry import EntryForm
from skinclinic.archive.models import Entry, EntryChange
from skinclinic.archive.presenters import shown
from skinclinic.archive.presenters.import_words import age_name
from skinclinic.archive.services.curating import review as service
from skinclinic.archive.services.curating import vocabulary
from skinclinic.archive.views.tiles import ENTRIES, tiles
from skinclinic.forms.merging import CHANGED, as_sent, rebased
from skinclinic.models.columns import field_of
from skinclinic.permissions import CURATE, VIEW, get_for
from skinclinic.vocabulary import asked, sites, skin_types, subtypes, tags
from skinclinic.web.requests import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: SignedInRequest, pk: int) -> HttpResponse:
    """The page; a post corrects the entry."""
    row = get_for(request.user, ENTRIES, pk, VIEW if request.method in ("GET", "HEAD") else CURATE)
    stands = {name: EntryForm(entry=row).initial[name] for name in service.EDITABLE}
    data, clashes = rebased(request.POST, stands)
    form = EntryForm(data or None, entry=row)
    status = 200
    if request.method == "POST":
        form.full_clean()
        for name, theirs in clashes.items():
            form.add_error(name, forms.ValidationError(CHANGED, params={"theirs": theirs or "–"}))
        if form.is_valid():
            try:
                changed = service.edit(entry=row, user=request.user, **form.cleaned_data)
            except service.ReviewError as error:
                form.add_error("label", shown.in_words(error))
            else:
                messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
                return redirect("archive-entry", pk=pk)
        status = 409 if clashes else 422
    member = request.user.memberships.filter(clinic=row.clinic_id).first()
    context = {
        "entry": row,
        "form": form,
        "seen": data.get("seen") or json.dumps({name: as_sent(value) for name, value in stands.items()}),
        "label_name": shown.label_name(row.label),
        "history": _history(row),
        "reasons": shown.reasons(),
        "tags": [(key, name, key in tags.split(row.tags)) for key, name in tags.TAGS],
        "site_name": sites.name(row.site),
        "skin_name": skin_types.name(row.skin_type),
        "ages": age_name(f"{row.age}-{row.age_to}"),
        "asked": [
            (name, said) for name, text in row.columns.items() if (said := asked.of_column(name, text))
        ],
        "columns": [one for one in row.columns.items() if not asked.of_column(*one)],
        "subtypes": [
            subtypes.name(row.label, name) for name in vocabulary.subtypes_of(row.clinic, row.label)
        ],
        "can_curate": bool(member and member.can_curate),
        "kept_back": shown.kept_back(member, [row]),
    }
    return render(request, "archive/gallery/entry.html", context, status=status)


@require_POST
def tag(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give the photo a tag, or take it away; htmx gets the tile back."""
    row = get_for(request.user, ENTRIES, pk, CURATE)
    error = ""
    try:
        service.tag(entry=row, user=request.user, key=request.POST.get("tag", ""))
    except service.ReviewError as refused:
        error = shown.in_words(refused)
    if request.htmx:
        return tiles(request, [pk], error=error)
    if error:
        messages.error(request, error)
    return redirect("archive-entry", pk=pk)


@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a change back."""
    change = get_for(request.user, EntryChange.objects.select_related("entry"), pk, CURATE)
    try:
        service.undo(change, request.user)
        messages.success(request, _("The change was taken back."))
    except service.ReviewError as error:
        messages.error(request, shown.in_words(error))
    return redirect("archive-entry", pk=change.entry_id)


def _history(row: Entry) -> list[dict]:
    """Changes, newest first, each field as "name: from → to"."""
    changes = list(row.changes.select_related("by")[:200])
    return [
        {
            "change": change,
            "lines": [
                {
                    "name": _field_name(name),
                    "before": _value(row, name, before),
                    "after": _value(row, name, after),
                }
                for name, (before, after) in change.fields.items()
                if before != after
            ],
            "can_undo": place == 0
            and change.undone_at is None
            and change.action not in ("imported", "added"),
        }
        for place, change in enumerate(changes)
    ]


def _field_name(name: str) -> str:
    named = {"review": _("Review"), "reject_reason": _("Reason")}
    return named.get(name) or str(field_of(Entry, name).verbose_name)


def _value(row: Entry, name: str, value) -> str:
    if name in ("label", "impression", "second_label"):
        return shown.label_name(value)
    if name == "subtype":
        return subtypes.name(row.label, value)
    if name == "tags":
        return ", ".join(tags.names(value))
    choices = dict(field_of(Entry, name).choices or ())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(choices.get(value, value if value is not None else ""))
