"""Evaluations: the list, a new one, its pages, figures and files."""

import math
from collections.abc import Iterator
from functools import cache, wraps
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.metrics.han2018 import HAN_2018
from classifier.models import Evaluation, ModelVersion
from classifier.plots.figures import Figure
from classifier.presenters import computed, downloads
from classifier.presenters.evaluation_lines import evaluation_lines
from classifier.presenters.hidden_answers import hidden_answers
from classifier.presenters.screens import for_screens
from classifier.presenters.work import EvaluationProgress
from classifier.services.evaluation import bundle, evaluations, figure_files, looking, units
from classifier.services.evaluation import report as evaluation_report
from classifier.services.evaluation import tables as evaluation_tables
from classifier.services.evaluation.kept import scores as kept_scores
from classifier.services.evaluation.report import BY_DISEASE, CONFUSION, NoReport, NotYet, Report
from classifier.services.evaluation.run import REPORT
from classifier.services.models import comparison as model_comparison
from classifier.services.models import coverage, realised, registry, threshold_sets, transported
from skinclinic.archive.models import DatasetVersion
from skinclinic.models import Photo
from skinclinic.permissions import ADMIN, CURATE, clinic_member, get_for
from skinclinic.presenters.paging import paged
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.csv_table import table_csv
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import MemberRequest, SignedInRequest
from skinclinic.web.zip_stream import compressed

TYPES = figure_files.TYPES


def report_page(view):
    """Decorate a view of a finished evaluation: it gets the row and its report. Until there is one, the
    evaluation's own page says what is the matter."""

    @require_safe
    @wraps(view)
    def shown(request: SignedInRequest, pk: int) -> HttpResponse:
        row = get_for(request.user, Evaluation, pk)
        if row.state != Evaluation.State.DONE:
            return redirect("evaluation", row.pk)
        try:
            return view(request, row, Report(row))
        except NoReport:
            return redirect("evaluation", row.pk)

    return shown


@clinic_member()
@require_safe
def listing(request: MemberRequest) -> HttpResponse:
    """The clinic's evaluations, newest first."""
    rows = (
        Evaluation.objects.filter(clinic=request.membership.clinic)
        .select_related("created_by")
        .prefetch_related("model_versions", "dataset_versions__dataset")
    )
    context = paged(request, rows)
    context |= {
        "listed": [(row, evaluation_lines(row)) for row in context["rows"]],
        "can_curate": request.membership.can_curate,
    }
    return render(request, "evaluations/list.html", context)


@clinic_member(CURATE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Choose models and frozen datasets; what cannot be chosen says why."""
    clinic = request.membership.clinic
    asked = request.POST if request.method == "POST" else request.GET
    chosen = {name: _numbers(asked.getlist(name)) for name in ("model", "dataset")}
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            row = evaluations.request(
                clinic, request.user, name=asked.get("name", ""),
                models=list(registry.available(clinic).filter(pk__in=chosen["model"])),
                datasets=list(DatasetVersion.objects.filter(clinic=clinic, pk__in=chosen["dataset"])),
                remove_leaks=bool(asked.get("remove_leaks")),
                bootstrap=evaluations.REPEATS if asked.get("bootstrap") else 0,
                premalignant_as="malignant" if asked.get("premalignant_as") == "malignant" else "benign",
            )  # fmt: skip
        except Refused as refused:
            errors[refused.field] = str(refused)
        else:
            return redirect("evaluation", row.pk)
    context = {
        "models": evaluations.model_offers(clinic),
        "datasets": evaluations.dataset_offers(clinic),
        "chosen": chosen,
        "name": asked.get("name", "")[:200] or f"{timezone.localtime():%Y-%m-%d %H:%M}",
        "remove_leaks": bool(asked.get("remove_leaks")),
        "bootstrap": bool(asked.get("bootstrap")),
        "repeats": evaluations.REPEATS,
        "premalignant_as": asked.get("premalignant_as", "benign"),
        "errors": errors,
    }
    return render(request, "evaluations/new.html", context, status=422 if errors else 200)


def _numbers(texts) -> list[int]:
    return [int(text) for text in texts if is_key(text)]


@require_safe
def page(request: SignedInRequest, pk: int) -> HttpResponse:
    """The result: one dataset and one model (or the mean of its runs) at a time."""
    row = get_for(request.user, Evaluation, pk)
    context = common_context(request, row)
    if row.state != Evaluation.State.DONE:
        return render(request, "evaluations/state.html", context | {"leaks": evaluation_report.leaks(row)})
    try:
        report = Report(row)
    except NoReport:
        return render(request, "evaluations/state.html", context | {"is_gone": True})
    dataset, model, runs = chosen_of(request, report)
    rows = (
        evaluation_tables.runs_table(report, dataset["pk"], runs)
        if runs
        else evaluation_tables.table(report, dataset["pk"], model["pk"])
    )
    context |= choice_context(request, report, dataset, model, runs) | {
        "rows": rows,
        "references": HAN_2018,
        "top": evaluation_tables.top_lines(report, dataset["pk"], model["pk"]),
        "figures": report.figures_of(dataset["pk"], model["pk"]),
        "confusion": _drawn(report, CONFUSION, dataset["pk"], model["pk"]),
        "curves": [
            (key, figure)
            for key in DISEASE_KEYS
            if (figure := report.figure("roc", dataset["pk"], model["pk"], key, small=True)).drawing
        ],
        "leaks": [one for one in evaluation_report.leaks(row) if one["dataset"] == dataset["pk"]],
        "listings": report.figures_of(dataset["pk"], model["pk"])["listings"],
        "computed": computed.of_figures(report.computed(dataset["pk"], model["pk"])),
    }
    if not runs:
        context |= _coverage(report, dataset, model, is_admin=context["is_admin"])
    return render(request, "evaluations/page.html", context)


def _coverage(report: Report, dataset: dict, model: dict, *, is_admin: bool) -> dict:
    """What came here of the model's sets that cover the truth, and what a new one could promise; nothing of figures
    whose files are gone."""
    version = ModelVersion.objects.filter(pk=model["pk"]).first()
    sets = version.thresholds_for(report.row.clinic_id) if version else []
    covering = [row for row in sets if coverage.RULE in row.details]
    if not covering and not is_admin:
        return {}
    # Once, where what is told of them is not kept.
    photos = cache(lambda: units.read(report, dataset["pk"], model["pk"]))
    try:
        if is_admin:
            # In order by the time thresholds are made of them.
            kept_scores.of(report, dataset["pk"], model["pk"], photos)
        return {
            "covering": [(row, realised.on(row, report, dataset, photos)) for row in covering],
            "coverage_needs": coverage.needs(report, dataset["pk"], model["pk"], photos)
            if is_admin
            else None,
        }
    except NoReport:
        return {}
    except NotYet as later:
        return {"looking": looking.ask_all([later.row])}


def _drawn(report: Report, kind: str, dataset: int, model: int, key: str = "") -> Figure:
    return for_screens(lambda form: report.figure(kind, dataset, model, key, form))


@require_POST
def act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a refused one up again without the photos its models have seen, or delete it."""
    row = get_for(request.user, Evaluation, pk, CURATE)
    action = request.POST.get("act", "")
    if action == "delete":
        if evaluations.delete(row):
            messages.success(request, _("The evaluation was deleted. Its analyses are kept."))
            return redirect("evaluations")
        messages.warning(request, _("It is still being computed. Stop it first, or wait until it is done."))
    elif action == "remove-leaks":
        if not evaluations.go_on(row, remove_leaks=True):
            messages.info(request, _("It is not stopped; there is nothing to take up again."))
    else:
        messages.error(request, _("Choose what to do."))
    return redirect("evaluation", row.pk)


@report_page
def disease(request: SignedInRequest, row: Evaluation, report: Report) -> HttpResponse:
    """All figures of one disease."""
    key = request.GET.get("key", "")
    if key not in DISEASE_KEYS:
        raise Http404
    dataset, model, _runs = chosen_of(request, report)
    context = common_context(request, row) | choice_context(request, report, dataset, model, None)
    place = DISEASE_KEYS.index(key)
    context |= {
        "key": key,
        "result": report.disease(dataset["pk"], model["pk"], key),
        "drawn": [(kind, _drawn(report, kind, dataset["pk"], model["pk"], key)) for kind in BY_DISEASE],
        "keys": DISEASE_KEYS,
        "previous_key": DISEASE_KEYS[place - 1],
        "next_key": DISEASE_KEYS[(place + 1) % len(DISEASE_KEYS)],
    }
    context |= _transported(report, model["pk"], key)
    return render(request, "evaluations/disease.html", context)


def _transported(report: Report, model: int, key: str) -> dict:
    if len(report.datasets) < 2:
        return {}
    try:
        return {"transported": transported.transported(report, model, key)}
    except NotYet as later:
        return {"looking": looking.ask_all([later.row])}


@require_POST
def thresholds(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make a threshold set of one model from one dataset."""
    row = get_for(request.user, Evaluation, pk, ADMIN)
    if row.state != Evaluation.State.DONE:
        raise Http404
    model, dataset = _numbers([request.POST.get("model", "")]), _numbers([request.POST.get("dataset", "")])
    version = row.model_versions.filter(pk__in=model).first()
    if version is None or not row.dataset_versions.filter(pk__in=dataset).exists():
        raise Http404
    try:
        made = threshold_sets.make(
            row, version, dataset[0], name=request.POST.get("name", ""), rule=request.POST.get("rule", ""),
            wanted=_share(request.POST.get(_SHARE_OF.get(request.POST.get("rule", ""), ""), "")), user=request.user,
        )  # fmt: skip
    except Refused as refused:
        messages.error(request, str(refused))
        chosen = urlencode({"dataset": dataset[0], "model": version.pk})
        return redirect(f"{reverse('evaluation', args=[row.pk])}?{chosen}")
    except NoReport:
        raise Http404 from None
    messages.success(
        request,
        _("The thresholds “%(name)s” are made. Clinicians can choose them beside a result of %(model)s.")
        % {"name": made.name, "model": version.name},
    )
    return redirect("model", version.pk)


# The field of the form that says how much a rule aims at.
_SHARE_OF = {threshold_sets.SENSITIVITY: "wanted", threshold_sets.COVERAGE: "covered"}


def _share(text: str) -> float | None:
    """A percentage as a share; None for what is no number."""
    try:
        value = float(text[:20].replace(",", ".")) / 100
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@report_page
def compare(request: SignedInRequest, row: Evaluation, report: Report) -> HttpResponse:
    """Two models on the same photos: paired tests, and the photos on which their first choices differ."""
    dataset, first, _runs = chosen_of(request, report)
    if len(report.models) < 2:
        raise Http404
    others = [model for model in report.models if model["pk"] != first["pk"]]
    second = named(others, request.GET.get("other", ""))
    context = common_context(request, row) | choice_context(request, report, dataset, first, None)
    context |= {"other": second, "others": others}
    try:
        found = model_comparison.compare(report, dataset["pk"], first["pk"], second["pk"])
    except NotYet as later:
        context["looking"] = looking.ask_all([later.row])
        return render(request, "evaluations/compare.html", context)
    photos = (
        Photo.objects.filter(clinic=row.clinic_id)
        .select_related("lesion")
        .in_bulk([one.photo for one in found.differing])
    )
    hidden = hidden_answers(request, row.clinic_id, photos.values())
    context |= {
        "found": found,
        "tiles": [(one, photos.get(one.photo), one.photo in hidden) for one in found.differing],
        "only_shown": model_comparison.MOST_DIFFERING,
        "least_patients": model_comparison.LEAST,
    }
    return render(request, "evaluations/compare.html", context)


@report_page
def figure(request: HttpRequest, row: Evaluation, report: Report) -> HttpResponse:
    """One figure as a file: ``kind``, ``key`` and how (``presenters/downloads.py``)."""
    kind, key, wanted = request.GET.get("kind", ""), request.GET.get("key", ""), downloads.wanted(request.GET)
    if wanted is None or not (kind == CONFUSION or (kind in BY_DISEASE and key in DISEASE_KEYS)):
        raise Http404
    dataset, model, _runs = chosen_of(request, report)
    found = report.figure(kind, dataset["pk"], model["pk"], key, wanted.form)
    return figure_as_file(found, wanted)


@report_page
def download(request: HttpRequest, row: Evaluation, report: Report) -> HttpResponse:
    """``what``: "report" (JSON), "table" (CSV) or "figures" (a ZIP of one model on one dataset)."""
    what = request.GET.get("what", "")
    if what == "report":
        content = (row.folder / REPORT).read_bytes()
        return as_file(HttpResponse(content, content_type="application/json"), f"evaluation-{row.pk}.json")
    if what == "table":
        return as_file(
            HttpResponse(table_csv(*evaluation_tables.long_table(report)), content_type=TYPES["csv"]),
            f"evaluation-{row.pk}.csv",
        )
    wanted = downloads.wanted_together(request.GET)
    if what != "figures" or wanted is None:
        raise Http404
    dataset, model, _runs = chosen_of(request, report)
    files = _with_table(report, dataset["pk"], model["pk"], wanted)
    response = StreamingHttpResponse(compressed(files), content_type="application/zip")
    return as_file(response, f"evaluation-{row.pk}-figures.zip")


def _with_table(
    report: Report, dataset: int, model: int, wanted: downloads.Wanted
) -> Iterator[tuple[str, bytes]]:
    said = [("table.csv", _("All tables")), ("report.json", _("Every number of the results, for programs"))]
    yield "table.csv", table_csv(*evaluation_tables.long_table(report))
    yield "report.json", (report.row.folder / REPORT).read_bytes()
    yield from report.files(dataset, model, wanted.kinds, wanted.how, wanted.form, said)
    yield bundle.INDEX, bundle.index(report.row.name, said)


def figure_as_file(found: Figure, wanted: downloads.Wanted) -> HttpResponse:
    """A figure in the first of the kinds that are wanted. Raises Http404 where it cannot be drawn so."""
    kind = wanted.kinds[0]
    try:
        content = figure_files.figure_file(found, kind, wanted.how)
    except ValueError:
        raise Http404 from None
    return as_file(HttpResponse(content, content_type=TYPES[kind]), f"{found.name}.{kind}")


def as_file(response, name: str):
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def common_context(request: SignedInRequest, row: Evaluation) -> dict:
    member = next(one for one in request.memberships if one.clinic_id == row.clinic_id)
    return {
        "row": row,
        "can_curate": member.can_curate,
        "is_admin": member.is_admin,
        "work": EvaluationProgress(row, member),
    }


def chosen_of(request: HttpRequest, report: Report) -> tuple[dict, dict, dict | None]:
    """Dataset, model and group of runs of the address; the first ones where it names none.

    Without a model in the address the mean of the first group is shown, if there is one.
    """
    dataset = named(report.datasets, request.GET.get("dataset", ""))
    groups = report.runs_of(dataset["pk"])
    wanted = request.GET.get("group", "")
    runs = next((one for one in groups if one["group"] == wanted), None)
    if not wanted and "model" not in request.GET:
        runs = groups[0] if groups else None
    model = report.model(runs["models"][0]) if runs else named(report.models, request.GET.get("model", ""))
    return dataset, model, runs


def named(rows: list[dict], text: str) -> dict:
    return next((row for row in rows if str(row["pk"]) == text), rows[0])


def choice_context(
    request: HttpRequest, report: Report, dataset: dict, model: dict, runs: dict | None
) -> dict:
    one = urlencode({"dataset": dataset["pk"], "model": model["pk"]})
    version = ModelVersion.objects.filter(pk=model["pk"]).first()
    return {
        "report": report.content,
        "dataset": dataset,
        "model": model,
        "runs": runs,
        "groups": report.runs_of(dataset["pk"]),
        "query": one,
        "version": version,
        "disease_url": f"{reverse('evaluation-disease', args=[report.row.pk])}?{one}&key=",
        "figure_url": f"{reverse('evaluation-figure', args=[report.row.pk])}?{one}",
    }
