"""Datasets: the list, one version with its numbers and checks, and what can be done with it."""

from dataclasses import fields, replace
from itertools import pairwise
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.archive.forms.datasets import DatasetForm, SplitForm, StatedForm
from skinclinic.archive.models import Dataset, DatasetVersion
from skinclinic.archive.presenters import shown, summary_table
from skinclinic.archive.presenters.work import DatasetProgress
from skinclinic.archive.services.datasets import (
    against,
    checks,
    datasets,
    differences,
    freezing,
    sides,
    summary,
)
from skinclinic.archive.services.searching import search, selection
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.permissions import CURATE, VIEW, clinic_member, get_for, visible
from skinclinic.services.refused import Refused
from skinclinic.web.csv_table import table_csv
from skinclinic.web.inputs import is_key, storable
from skinclinic.web.requests import MemberRequest, SignedInRequest

VERSIONS = DatasetVersion.objects.select_related("dataset", "clinic", "created_by", "frozen_by")
MOST_COMPARED = 6
SAMPLES = 10


@clinic_member()
@require_http_methods(["GET", "HEAD"])
def dataset_list(request: MemberRequest) -> HttpResponse:
    """The clinic's datasets with their newest versions."""
    versions = list(
        VERSIONS.filter(clinic=request.membership.clinic).order_by("dataset__name", "-number")[:500]
    )
    photos = summary.photos_of(versions)
    context = {
        "versions": [(version, photos.get(version.pk, 0)) for version in versions],
        "can_curate": request.membership.can_curate,
    }
    return render(request, "archive/datasets/list.html", context)


@clinic_member(CURATE)
@require_http_methods(["GET", "HEAD", "POST"])
def dataset_new(request: MemberRequest) -> HttpResponse:
    """Make a dataset of a search in the archive."""
    clinic = request.membership.clinic
    sent = request.POST if request.method == "POST" else request.GET
    names = [one.name for one in fields(selection.Selection)]
    chosen = selection.Selection.read(
        {name: sent.get(f"s-{name}", "") or sent.get(name, "") for name in names}
    )
    if request.method == "GET" and not chosen.review:
        chosen = selection.Selection.read(chosen.to_json() | {"review": "accepted"})
    entries, problem = shown.selected(clinic, chosen)
    form = DatasetForm(request.POST or None, instance=Dataset(clinic=clinic, created_by=request.user))
    if request.method == "POST" and form.is_valid() and not problem:
        values = form.cleaned_data
        try:
            version = datasets.create(
                clinic, request.user, values["name"], values["role"], values["description"]
            )
            datasets.fill(version, entries, chosen.to_json())
            return redirect("dataset", pk=version.pk)
        except Refused as refused:
            form.add_error("name", str(refused))
    context = {
        "form": form,
        "chosen": chosen,
        "problem": problem,
        "in_words": chosen.in_words(clinic, request.LANGUAGE_CODE),
        "count": entries.count(),
        "samples": entries.select_related("photo").order_by("-pk")[:SAMPLES],
    }
    return render(
        request, "archive/datasets/new.html", context, status=422 if request.method == "POST" else 200
    )


@require_safe
def dataset(request: SignedInRequest, pk: int) -> HttpResponse:
    """One version: numbers, checks, where it comes from, the split, and what changed."""
    version = get_for(request.user, VERSIONS, pk, VIEW)
    others = list(VERSIONS.filter(dataset=version.dataset).order_by("-number"))
    earlier = next((other for other in others if other.number < version.number), None)
    member = request.user.memberships.filter(clinic=version.clinic_id).first()
    made = checks.of(version)
    lines = sides.table(version) if version.split else []
    context = {
        "version": version,
        "versions": others,
        "earlier": earlier,
        "table": replace(
            summary_table.table([summary.of(version)]),
            heads=[_("Version %(number)d") % {"number": version.number}],
        ),
        "checks": made,
        "passed": sum(check.passed for check in made),
        "stated_form": StatedForm(version=version),
        "sources": version.provenance if version.is_frozen else freezing.provenance(version),
        "changes": differences.between(earlier, version) if earlier else None,
        "query": selection.Selection.read(version.query).in_words(version.clinic, request.LANGUAGE_CODE)
        if version.query
        else "",
        "split_form": SplitForm(),
        "said": version.split.get("said", {}),
        "sides": lines,
        "few": {side: sides.few(lines, side) for side in (sides.TRAIN, sides.TEST)},
        "few_limit": sides.FEW,
        "stands_against": [] if version.is_frozen else freezing.problems(version),
        "can_curate": bool(member and member.can_curate),
        "work": DatasetProgress.of(request, version),
        "is_admin": bool(member and member.is_admin),
        "withdrawn": against.rows(version, against.WITHDRAWN).count() if version.is_frozen else 0,
        "can_edit": bool(member and member.can_edit),
        "samples": version.items.select_related("entry").exclude(entry=None)[:48],
    }
    return render(request, "archive/datasets/page.html", context)


@require_POST
def dataset_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """State, split, take out what a check names, freeze, take over corrections, fill again, make a new version or
    discard the draft."""
    version = get_for(request.user, VERSIONS, pk, CURATE)
    acts = {
        "split": _split, "state": _state, "freeze": _freeze, "refresh": _refresh, "fill": _fill, "continue": _continue,
        "discard": _discard, "take-out": _take_out,
    }  # fmt: skip
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        messages.error(request, _("Choose what to do with the dataset."))
        return redirect("dataset", pk=pk)
    try:
        return act(request, version)
    except Refused as refused:
        messages.error(request, str(refused))
    except QueryError as error:
        messages.error(request, search.explain(error))
    return redirect("dataset", pk=pk)


@clinic_member()
@require_safe
def dataset_compare(request: MemberRequest) -> HttpResponse:
    """Several versions side by side, as a page or (``?as=csv``) a table."""
    keys = list(filter(is_key, request.GET.getlist("version")))
    found = visible(DatasetVersion, request.user).filter(
        clinic=request.membership.clinic, pk__in=keys[:MOST_COMPARED]
    )
    columns = [
        summary.of(version) for version in found.select_related("dataset").order_by("dataset__name", "number")
    ]
    table = summary_table.table(columns)
    if request.GET.get("as") != "csv":
        again = urlencode([("version", column.version.pk) for column in columns])
        versions = [column.version for column in columns]
        context = {"table": table, "again": again, "neighbours": list(pairwise(versions))}
        return render(request, "archive/datasets/compare.html", context)
    content = table_csv(["", *table.heads], [[line.name, *line.cells] for line in table.lines])
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="datasets.csv"'
    return response


def _split(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    form = SplitForm(request.POST)
    if not form.is_valid():
        raise Refused("", _("A split needs a method, a share from 1 to 99 % and a seed."))
    values = form.cleaned_data
    datasets.split(version, values["method"], values["percent"] / 100, values["seed"])
    messages.success(request, _("The dataset was split."))
    return redirect("dataset", pk=version.pk)


def _take_out(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    reason = request.POST.get("reason", "")
    if reason not in against.BARRING:
        raise Refused("", _("Choose which photos to take out."))
    n = datasets.remove_all(version, against.rows(version, reason))
    messages.success(request, shown.removed(version, n))
    return redirect("dataset", pk=version.pk)


def _state(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    form = StatedForm(request.POST, version=version)
    if not form.is_valid():
        raise Refused("", " ".join(str(error) for errors in form.errors.values() for error in errors))
    datasets.state(version, **form.cleaned_data)
    messages.success(request, _("The checks hold this against what is counted."))
    return redirect("dataset", pk=version.pk)


def _freeze(request: SignedInRequest, version: DatasetVersion) -> HttpResponse:
    if not freezing.request(version, request.user):
        messages.success(request, _("The version is frozen: its photos, labels and hashes no longer change."))
    return redirect("dataset", pk=version.pk)


def _refresh(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    datasets.refresh(version)
    messages.success(request, _("The labels are as the archive says now."))
    return redirect("dataset", pk=version.pk)


def _fill(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    if not datasets.fill(version, datasets.entries_of(version), version.query):
        messages.success(request, _("The photos are those the search finds now."))
    return redirect("dataset", pk=version.pk)


def _continue(request: SignedInRequest, version: DatasetVersion) -> HttpResponse:
    note = request.POST.get("note", "")[:400]
    if not storable(note):
        raise Refused("", _("The note holds characters that cannot be stored."))
    draft = datasets.new_version(version.dataset, request.user, note)
    if n := datasets.left_out(draft):
        text = ngettext(
            "%(n)d photo of the version before is left out: it was withdrawn or deleted, or its patient does not "
            "consent any more.",
            "%(n)d photos of the version before are left out: they were withdrawn or deleted, or their patients do not "
            "consent any more.",
            n,
        )
        messages.info(request, text % {"n": n})
    return redirect("dataset", pk=draft.pk)


def _discard(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    datasets.discard(version)
    messages.success(request, _("The draft was discarded."))
    return redirect("datasets")
