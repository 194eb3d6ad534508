"""The pages of a study's results: diseases, readers, model, sessions, agreement, confusion, missed photos, methods."""

from collections.abc import Mapping
from itertools import combinations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from classifier.plots.figures import Figure
from classifier.presenters.hidden_answers import hidden_answers
from reader_study.plots import StudyFigures
from reader_study.plots.by_group import agreement_texts
from reader_study.plots.panels import MOST as MOST_PANELS
from reader_study.plots.panels import default as default_panels
from reader_study.plots.readers_roc import WAYS, labels_note
from reader_study.plots.study import MODEL, POOLED, of_reader
from reader_study.services.results import conclusions, headlines, methods_text
from reader_study.statistics.patterns import READERS_IN_TESTS, U_STATISTICS
from reader_study.views.result_page import ResultPage, results_page
from skinclinic.archive.services.curating import consent
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.requests import SignedInRequest


@results_page
def disease(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """Readers on the model's curve of one disease, among all and among malignant and benign photos."""
    key = request.GET.get("key", DISEASE_KEYS[0])
    if key not in DISEASE_KEYS:
        raise Http404
    choices = page.report["settings"]["choices"]
    drawn = [
        (
            page.figure_url("roc", key=key, way=way),
            page.draw(StudyFigures.roc, page.dataset, page.session, key, way),
        )
        for way in WAYS
    ]
    context = page.context(
        part="diseases",
        key=key,
        keys=[(one, page.query(key=one), one == key) for one in DISEASE_KEYS],
        found=page.found["diseases"][key],
        is_choice=key in choices,
        readers=[
            (reader, one["group"], one["points"][key])
            for reader, one in page.read["readers"].items()
            if key in one["points"] and "true_positives" in one["points"][key]
        ],
        averages=_averages(page, key),
        among=page.results.curves[page.dataset]["among"].get(page.session),
        group_names=page.figures.group_names,
        drawn=drawn,
        labels_note=labels_note(page.labels),
        areas=(page.figure_url("areas", key=key), page.draw(StudyFigures.areas, page.dataset, key)),
        matched=page.found["matched"].get(page.session, {}).get(key),
        tiers=_tiers(page.found["diseases"][key]["among"]),
        list_length=page.found["list_length"],
        has_missing=any(
            one["missing"] for one in page.read["readers"].values() if one["accuracy"] is not None
        ),
    )
    return render(request, "studies/results/disease.html", context)


def _tiers(among: dict | None) -> list[tuple[str, dict]]:
    """Areas among other malignant and other benign photos."""
    names = {"malignant": _("among other malignant photos"), "benign": _("among other benign photos")}
    return [(names[tier], one) for tier, one in (among or {}).items()]


def _averages(page: ResultPage, key: str) -> list[tuple[str, dict]]:
    """The mean of all readers and of each group; "" stands for all."""
    rows = [("", page.read)] + [
        (page.figures.group_names.get(group) or group, found)
        for group, found in page.read["groups"].items()
        if group
    ]
    return [(name, found["average"][key]) for name, found in rows if key in found["average"]]


@results_page
def readers(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """Each reader: accuracy, kappa, time, and the model against each."""
    context = page.context(
        part="readers",
        rows=[
            (reader, one, page.found["mcnemar"].get(page.session, {}).get(reader))
            for reader, one in page.read["readers"].items()
        ],
        group_names=page.figures.group_names,
        drawn=[
            (page.figure_url("accuracy"), page.draw(StudyFigures.accuracy, page.dataset, page.session)),
            (page.figure_url("time"), page.draw(StudyFigures.time, page.dataset, page.session)),
        ],
        has_second=any(one["second_choice"] for one in page.read["readers"].values()),
        has_confidence=any(one["confidence"] for one in page.read["readers"].values()),
    )
    return render(request, "studies/results/readers.html", context)


@results_page
def model(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """The model against the readers, with the margin and what it allows to say."""
    margin = page.report["settings"]["margin"]
    tests = page.found["ai_vs_readers"].get(page.session, {})
    groups = page.found["ai_vs_groups"].get(page.session, {})
    context = page.context(
        part="model",
        margin=margin,
        rules=conclusions.rules_text(),
        rows=[
            (one, tests[one.key], conclusions.decided(page.report, tests[one.key]))
            for one in conclusions.of_report(page.report, page.dataset, page.session)
        ]
        if tests
        else [],
        by_group=[
            (
                page.figures.group_names.get(name) or name,
                [(key, tests[key], conclusions.decided(page.report, tests[key])) for key in DISEASE_KEYS],
            )
            for name, tests in groups.items()
            if name
        ],
        drawn=[
            (
                page.figure_url("against-model"),
                page.draw(StudyFigures.against_model, page.dataset, page.session),
            )
        ],
        top=[(k, found) for k, found in (page.found["top_k_counts"] or {}).items()],
        balanced=page.found["balanced_top1"],
        list_length=page.found["list_length"],
        subgroups=[
            (page.figure_url("subgroups"), page.draw(StudyFigures.subgroups, page.dataset, page.session))
        ],
    )
    return render(request, "studies/results/model.html", context)


def _designs(compared: Mapping[str, Mapping]) -> dict[str, bool]:
    """Whether each session had readers of its own, or readers read different photos in both."""
    found = {
        one["pattern"] for test in compared.values() for one in test.values() if one["method"] == U_STATISTICS
    }
    return {"has_other_readers": READERS_IN_TESTS in found, "is_incomplete": bool(found - {READERS_IN_TESTS})}


@results_page
def sessions(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """One session against another, and each reader in both."""
    pairs = list(combinations(page.sessions, 2))
    asked = headlines.of_dataset(page.report, page.dataset, page.session, page.figures.group_names)
    found = [
        {
            "first": first,
            "second": second,
            "figure_url": page.figure_url("slopes", first=first, second=second),
            "figure": page.draw(StudyFigures.slopes, page.dataset, first, second),
            "tests": [(key, page.found["compare"][f"{first}_vs_{second}"][key]) for key in DISEASE_KEYS],
            "headlines": [one for one in asked if one.pair == f"{first}_vs_{second}"],
            "total": page.found["changes"][f"{first}_vs_{second}"]["total"],
            **_designs(page.found["compare"][f"{first}_vs_{second}"]),
        }
        for first, second in pairs
        if f"{first}_vs_{second}" in page.found["compare"]
    ]
    first_answers = [
        (session, rows)
        for session, read in page.found["sessions"].items()
        if (
            rows := [
                (reader, one["first_answer"])
                for reader, one in read["readers"].items()
                if one["first_answer"]
            ]
        )
    ]
    context = page.context(part="sessions", pairs=found, first_answers=first_answers)
    return render(request, "studies/results/sessions.html", context)


@results_page
def agreement(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """Kappas of readers with the truth and with each other; confusion of the model, all readers, or one."""
    who = request.GET.get("who", MODEL if page.report["settings"]["has_model"] else POOLED)
    people = {of_reader(code): code for code in page.read["readers"]}
    if who not in (MODEL, POOLED, *people):
        raise Http404
    figure = page.draw(StudyFigures.confusion, page.dataset, page.session, who)
    context = page.context(
        part="agreement",
        summary=agreement_texts(page.read),
        who=who,
        people=people,
        drawn=[
            (page.figure_url("confusion", who=who), figure),
            (page.figure_url("agreement"), page.draw(StudyFigures.agreement, page.dataset, page.session)),
        ],
    )
    return render(request, "studies/results/agreement.html", context)


@results_page
def missed(request: SignedInRequest, page: ResultPage) -> HttpResponse:
    """The photos that most readers got wrong, with the model's heatmap where there is one."""
    found = page.read["most_missed"]
    rows = {
        row.name: row
        for row in page.study.images.filter(name__in=[one["image"] for one in found]).select_related(
            "photo__lesion"
        )
    }
    photos = [row.photo for row in rows.values() if row.photo]
    hidden = hidden_answers(request, page.study.clinic_id, photos) if photos else set()
    barred = consent.photos_lacking([photo.pk for photo in photos])
    tiles = [
        {
            "missed": one,
            "row": rows.get(one["image"]),
            "is_barred": bool((row := rows.get(one["image"])) and row.photo_id in barred),
            "photo": (row := rows.get(one["image"])) and row.photo,
            "is_hidden": bool(row and row.photo_id in hidden),
            "answers": list(one["answers"].items()),
        }
        for one in found
    ]
    return render(request, "studies/results/missed.html", page.context(part="missed", tiles=tiles))


@results_page
def methods(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """The methods paragraph, the protocol, and everything as files."""
    names = dict(settings.LANGUAGES)
    texts = [
        (language, names[language], text)
        for language, text in methods_text.paragraphs(page.study, page.report)
    ]
    context = page.context(
        part="methods", texts=texts, events=page.study.events.select_related("by", "reader")[:200]
    )
    return render(request, "studies/results/methods.html", context)


@results_page
def panels(request: HttpRequest, page: ResultPage) -> HttpResponse:
    """Many diseases in one figure, as the paper's: ``disease`` and ``set`` (numbers of datasets) may be repeated."""
    chosen = chosen_panels(page, request.GET) or default_panels(page.report)
    asked = {
        "disease": ",".join(dict.fromkeys(key for _dataset, key in chosen)),
        "set": ",".join(dict.fromkeys(str(page.datasets.index(one)) for one, _key in chosen)),
    }
    context = page.context(
        part="panels",
        drawn=[(page.figure_url("panels", **asked), page.draw(StudyFigures.panels, page.session, chosen))],
        most=MOST_PANELS,
        keys=[(key, any(key == one for _dataset, one in chosen)) for key in DISEASE_KEYS],
        sets=[
            (place, name, any(name == one for one, _key in chosen))
            for place, name in enumerate(page.datasets)
        ],
    )
    return render(request, "studies/results/panels.html", context)


def chosen_panels(page: ResultPage, asked) -> list[tuple[str, str]]:
    """(dataset, disease) of the panels that are asked for, dataset by dataset; empty where none is."""
    keys = [key for value in asked.getlist("disease") for key in value.split(",") if key in DISEASE_KEYS]
    sets = [one for value in asked.getlist("set") for one in value.split(",")]
    names = [name for place, name in enumerate(page.datasets) if str(place) in sets]
    chosen = [(name, key) for name in names for key in DISEASE_KEYS if key in keys]
    return chosen[:MOST_PANELS]


def figure_of(page: ResultPage, asked) -> Figure:
    """The figure that an address names by ``kind`` and more. Raises Http404."""
    figures, kind, key, way, who = (
        page.figures, asked.get("kind", ""), asked.get("key", ""), asked.get("way", WAYS[0]), asked.get("who", MODEL),
    )  # fmt: skip
    dataset, session = page.dataset, page.session
    plain = {
        "accuracy": figures.accuracy, "time": figures.time, "agreement": figures.agreement,
        "against-model": figures.against_model, "subgroups": figures.subgroups,
    }  # fmt: skip
    if kind in plain:
        return plain[kind](dataset, session)
    if kind == "areas" and key in DISEASE_KEYS:
        return figures.areas(dataset, key)
    if kind == "roc" and key in DISEASE_KEYS and way in WAYS:
        return figures.roc(dataset, session, key, way)
    if kind == "confusion" and who in (MODEL, POOLED, *map(of_reader, page.read["readers"])):
        return figures.confusion(dataset, session, who)
    if kind == "panels":
        return figures.panels(session, chosen_panels(page, asked))
    first, second = asked.get("first", ""), asked.get("second", "")
    if kind == "slopes" and f"{first}_vs_{second}" in page.found["changes"]:
        return figures.slopes(dataset, first, second)
    raise Http404
