"""Observations: of pathology, the newest first, then scores, answer by answer. Two kinds of rows, one list of pages."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from classifier.api.fhir import kinds, searching
from classifier.api.fhir.answering import FhirView, open_to
from classifier.api.fhir.including import Included
from classifier.models import Analysis
from classifier.presenters.fhir import answers, lesion, proof, rows
from skinclinic.fhir.parts import Json, bundle, entry
from skinclinic.models import Diagnosis
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.inputs import is_key

PATHOLOGY, SCORE = "pathology", "score"
# Answers that one page looks through at most; what comes after them is on the next.
BATCH, BATCHES = 50, 20
_CODE = searching.Parameter("token", lambda found, sent, teller: found)
OBSERVED = {**kinds.OF_PATHOLOGY, "code": _CODE}


@dataclass(frozen=True)
class Place:
    """After what a page begins: ``number`` observations of the row ``key``."""

    kind: str = PATHOLOGY
    key: int = 0
    number: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Raises NotFound."""
        if not cursor:
            return cls()
        kind, *numbers = cursor.split(".")
        if kind not in (PATHOLOGY, SCORE) or len(numbers) != 2 or not all(map(is_key, numbers)):
            raise NotFound
        return cls(kind, int(numbers[0]), int(numbers[1]))

    def __str__(self) -> str:
        return f"{self.kind}.{self.key}.{self.number}"


# What follows a place, and where that is; None where nothing is told there.
Found = tuple[Place, Json | None]


class ObservationSearch(FhirView):
    parameters = frozenset((*OBSERVED, *searching.OF_EVERY_SEARCH))

    def get(self, request: Request) -> Response:
        self.require_known()
        self.told, self.size = self.teller(), searching.count_asked(self.request)
        size = self.size
        along = Included(self.request, kinds.OBSERVATION, self.told)
        self.hidden, self.has_more = 0, False
        matches: list[Json] = []
        last: Place | None = Place.read(request.query_params.get("cursor", ""))
        for place, found in self._found(last or Place()) if size else ():
            if found is not None and len(matches) == size:
                self.has_more = True
                break
            if found is not None:
                matches.append(found)
            last = place
        entries = [entry(self.told.base, one, "match") for one in matches] + along.entries(matches)[0]
        entries += [entry(self.told.base, one, "outcome") for one in lesion.kept_back(self.hidden)]
        links = {
            "self": request.build_absolute_uri(),
            "first": searching.first_page(self.request),
            "next": searching.page_address(self.request, str(last) if self.has_more else ""),
        }
        return Response(bundle("searchset", entries, links=links, at=timezone.now()))

    def _asked(self, name: str) -> list[set[str]]:
        return [set(sent.split(",")) for sent in self.request.query_params.getlist(name)]

    def _found(self, after: Place) -> Iterator[Found]:
        own, asked = self.told.own_codes, self.request.query_params.getlist("code")
        codes = [set(searching.of_system(sent, own)) for sent in asked]
        if after.kind == PATHOLOGY and all(PATHOLOGY in sent for sent in codes):
            yield from self._pathologies(after)
        if all(SCORE in sent for sent in codes):
            yield from self._scores(after)

    def _pathologies(self, after: Place) -> Iterator[Found]:
        found: QuerySet[Diagnosis] = rows.own(rows.pathologies(), self.request.user)
        found = searching.narrowed(found, kinds.OF_PATHOLOGY, self.request, self.told)
        found = found.filter(pk__lt=after.key) if after.key else found
        # One more than a page holds tells whether there is another page.
        for row in found[: self.size + 1]:
            yield Place(PATHOLOGY, row.pk), proof.pathology(row, self.told)

    def _scores(self, after: Place) -> Iterator[Found]:
        ids = self._asked("_id")
        for looked_at, some in enumerate(_batches(self._analyses(after, ids))):
            if looked_at == BATCHES:
                self.has_more = True
                return
            shown, _outcomes = open_to(some, self.told)
            self.hidden += len(some) - len(shown)
            for row in shown:
                for number, told in enumerate(answers.scores(row, self.told), start=1):
                    is_before = after.kind == SCORE and row.pk == after.key and number <= after.number
                    if not is_before and all(told["id"] in sent for sent in ids):
                        yield Place(SCORE, row.pk, number), told
            yield Place(SCORE, some[-1].pk, len(DISEASE_KEYS)), None

    def _analyses(self, after: Place, ids: list[set[str]]) -> QuerySet[Analysis]:
        found: QuerySet[Analysis] = rows.own(rows.analyses(), self.request.user).filter(
            analysed_at__isnull=False
        )
        found = searching.narrowed(found, kinds.OF_SCORES, self.request, self.told)
        if after.kind == SCORE:
            is_whole = after.number >= len(DISEASE_KEYS)
            found = found.filter(**{"pk__lt" if is_whole else "pk__lte": after.key})
        for sent in ids:
            named = {one.removeprefix("answer-").partition("-")[0] for one in sent}
            found = found.filter(pk__in=[int(one) for one in named if is_key(one)])
        return found


def _batches(found: QuerySet[Analysis]) -> Iterator[list[Analysis]]:
    """So many at a time, newest first, each asked for when it is needed."""
    some = list(found[:BATCH])
    while some:
        yield some
        some = list(found.filter(pk__lt=some[-1].pk)[:BATCH]) if len(some) == BATCH else []
