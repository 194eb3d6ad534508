"""What every page of a study's results shares: who may see it, and which part of the results is shown."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, wraps
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from classifier.plots.figures import Figure
from classifier.plots.frame import WIDE
from classifier.presenters.screens import for_screens
from reader_study.models import StudyEvent, StudyResult
from reader_study.plots import StudyFigures
from reader_study.plots.readers_roc import CI, LABELS, OWN, SD
from reader_study.presenters.work import ResultsProgress
from reader_study.services.access import Access
from reader_study.services.results import completeness, doubt_texts, files_text
from reader_study.services.results.results import POLICIES, NoResults, Results
from reader_study.views.common import access_of, frame
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest

TAB = "results"


def results_page(view: Callable) -> Callable:
    """Decorate a view of computed results: it gets the page. Those who may not see them are told why; until they
    are computed, the overview says what is the matter."""

    @require_safe
    @wraps(view)
    def shown(request: SignedInRequest, pk: int) -> HttpResponse:
        access = access_of(request, pk)
        if not access.can_see_answers:
            return refusal(request, access)
        try:
            page = ResultPage(request, access)
        except NoResults:
            return redirect("study-results", access.study.pk)
        return view(request, page)

    return shown


def refusal(request: SignedInRequest, access: Access) -> HttpResponse:
    """Why the results are not shown, and until when."""
    context = frame(request, access.study, TAB)
    return render(request, "studies/results/blinded.html", context, status=403)


class ResultPage:
    """The results of a study, and which dataset, session and look of them the address names."""

    def __init__(self, request: SignedInRequest, access: Access):
        self.request, self.study, self.member = request, access.study, access.member
        asked = request.GET
        self.results = Results(self.study, asked.get("ak", ""))
        self.report = self.results.report
        self.labels = asked["labels"] if asked.get("labels") in LABELS else OWN
        self.interval = SD if asked.get("interval") == SD else CI
        self.form = WIDE
        self.datasets = list(self.report["datasets"])
        self.sessions = list(self.report["sessions"])
        self.dataset_number = _number(asked.get("dataset", ""), len(self.datasets))
        self.session_number = _number(asked.get("session", ""), len(self.sessions))

    @property
    def dataset(self) -> str:
        return self.datasets[self.dataset_number]

    @property
    def session(self) -> str:
        return self.sessions[self.session_number]

    @property
    def found(self) -> dict:
        """The report of the dataset that is shown."""
        return self.report["datasets"][self.dataset]

    @property
    def read(self) -> dict:
        """The report of the session that is shown."""
        return self.found["sessions"][self.session]

    @cached_property
    def figures(self) -> StudyFigures:
        return self.results.figures(labels=self.labels, interval=self.interval, form=self.form)

    def draw(self, how: Callable[..., Figure], *of) -> Figure:
        """A figure for every screen; ``how``: a method of StudyFigures, called with ``of``."""
        return for_screens(lambda form: how(replace(self.figures, form=form), *of))

    def query(self, **changed) -> str:
        """The address' question mark part with something changed."""
        values = {
            "dataset": self.dataset_number, "session": self.session_number, "ak": self.results.policy,
            "labels": self.labels, "interval": self.interval,
        }  # fmt: skip
        if key := self.request.GET.get("key"):
            values["key"] = key
        if who := self.request.GET.get("who"):
            values["who"] = who
        return urlencode(values | changed)

    def figure_url(self, kind: str, **more) -> str:
        """Where a figure is got as a file; ``&as=svg`` is to be added."""
        return f"{reverse('study-results-figure', args=[self.study.pk])}?{self.query(kind=kind, **more)}"

    def context(self, **more) -> dict:
        """What the templates of all pages need."""
        return {
            **frame(self.request, self.study, TAB),
            "page": self,
            "work": ResultsProgress(self.study, self.member),
            "result": StudyResult.objects.filter(study=self.study).first(),
            "report": self.report,
            "about": self.report["about"],
            "doubts": doubt_texts.texts(self.report),
            "read_as": files_text.texts(self.report),
            "incomplete": completeness.incomplete(self.report),
            "query": self.query(),
            "choices": self._choices(),
            "unblinded": self.study.events.filter(kind=StudyEvent.Kind.UNBLINDED).select_related("by").first(),
        } | more  # fmt: skip

    def _choices(self) -> dict[str, list[tuple]]:
        """What may be chosen: a value, its question mark part, and whether it is chosen."""
        return {
            "dataset": _options(self.datasets, self.dataset_number, lambda n: self.query(dataset=n)),
            "session": _options(self.sessions, self.session_number, lambda n: self.query(session=n)),
            "ak": [(one, self.query(ak=one), one == self.results.policy) for one in POLICIES],
            "labels": [(one, self.query(labels=one), one == self.labels) for one in LABELS],
            "interval": [(one, self.query(interval=one), one == self.interval) for one in (CI, SD)],
        }


def _options(names: list[str], chosen: int, query: Callable[[int], str]) -> list[tuple]:
    return [(name, query(number), number == chosen) for number, name in enumerate(names)]


def _number(text: str, count: int) -> int:
    return int(text) if is_key(text) and int(text) < count else 0
