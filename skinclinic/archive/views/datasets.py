"""Datasets: the list, one version with its numbers and checks, and what can be done with it."""

from dataclasses import fields, replace
from itertools import pairwise
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.archive.forms.datasets import DatasetForm, SplitForm, StatedForm
from skinclinic.archive.models import Dataset, DatasetVersion
from skinclinic.archive.presenters import shown, summary_table
from skinclinic.archive.presenters.work import CountingProgress, DatasetProgress
from skinclinic.archive.services.datasets import (
    against,
    counted,
    datasets,
    dividing,
    freezing,
    large,
    sides,
    summary,
)
from skinclinic.archive.services.searching import search, selection
from skinclinic.archive.services.searching.query_text import QueryError
from skinclinic.permissions import CURATE, VIEW, clinic_member, get_for, visible
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext
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
    # They go by and by.
    versions = [version for version in versions if large.DISCARD_JOB not in (version.asked or {})]
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
        "found": shown.count_of(entries),
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
    work = DatasetProgress.of(request, version)
    found = counted.of(version)
    if not (found and found.is_current):
        counted.ask(version)
    context = {
        "version": version,
        "versions": others,
        "earlier": earlier,
        "found": found,
        "query": selection.Selection.read(version.query).in_words(version.clinic, request.LANGUAGE_CODE)
        if version.query
        else "",
        "stated_form": StatedForm(version=version),
        "split_form": SplitForm(),
        "said": version.split.get("said", {}),
        "can_curate": bool(member and member.can_curate),
        "work": work,
        "counting": CountingProgress.of(request, version) if not found or found.at else None,
        "is_admin": bool(member and member.is_admin),
        "withdrawn": against.rows(version, against.WITHDRAWN).count() if version.is_frozen else 0,
        "can_edit": bool(member and member.can_edit),
        # By the key of the entry, which the database has in order.
        "samples": version.items.select_related("entry").exclude(entry=None).order_by("entry_id")[:48],
        **(_figures(found, earlier) if found else {}),
    }
    return render(request, "archive/datasets/page.html", context)


def _figures(found: counted.Counted, earlier: DatasetVersion | None) -> dict:
    version, lines, made = found.version, found.sides, found.checks
    heads = [_("Version %(number)d") % {"number": version.number}]
    return {
        "table": replace(summary_table.table([found.summary]), heads=heads),
        "checks": made,
        "passed": sum(check.passed for check in made),
        "sources": found.sources,
        "changes": found.changes_since(earlier) if earlier else None,
        "sides": lines,
        "few": {side: sides.few(lines, side) for side in (sides.TRAIN, sides.TEST)},
        "few_limit": sides.FEW,
        "stands_against": [] if version.is_frozen else found.stands_against,
    }


@require_POST
def dataset_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """State, split, take out what a check names, freeze, take over corrections, fill again, make a new version, discard
    the draft, or count anew. What takes long is done by a job, which the page shows."""
    version = get_for(request.user, VERSIONS, pk, CURATE)
    acts = {
        "split": _split, "state": _state, "freeze": _freeze, "refresh": _refresh, "fill": _fill, "continue": _continue,
        "discard": _discard, "take-out": _take_out, "count": _count,
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
    versions = list(found.select_related("dataset", "clinic").order_by("dataset__name", "number"))
    ready = [(version, counted.of(version)) for version in versions]
    columns = [figures.summary for _version, figures in ready if figures]
    table = summary_table.table(columns, str if request.GET.get("as") == "csv" else grouped)
    being_counted = [version for version, figures in ready if not (figures and figures.is_current)]
    for version in being_counted:
        counted.ask(version)
    # A table of what is counted so far would say nothing of the rest; the page does.
    if request.GET.get("as") != "csv" or being_counted:
        again = urlencode([("version", version.pk) for version in versions])
        compared = [column.version for column in columns]
        context = {
            "table": table,
            "again": again,
            "neighbours": list(pairwise(compared)),
            "being_counted": being_counted,
        }
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
    if not dividing.request_split(version, values["method"], values["percent"] / 100, values["seed"]):
        messages.success(request, _("The dataset was split."))
    return redirect("dataset", pk=version.pk)


def _take_out(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    reason = request.POST.get("reason", "")
    if reason not in against.BARRING:
        raise Refused("", _("Choose which photos to take out."))
    n = datasets.take_out(version, {"against": reason})
    if n is not None:
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
    if not datasets.request_refresh(version):
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
    draft = datasets.request_new_version(version.dataset, request.user, note)
    if not large.is_worked_on(draft) and (n := datasets.left_out(draft)):
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
    if datasets.request_discard(version):
        messages.success(request, _("The draft is being discarded."))
    else:
        messages.success(request, _("The draft was discarded."))
    return redirect("datasets")


def _count(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    counted.ask(version)
    return redirect("dataset", pk=version.pk)
