"""What else a page of a search holds: resources that those found refer to (``_include``), or that refer to them
(``_revinclude``)."""

from collections.abc import Iterator

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError

from classifier.api.fhir import kinds
from classifier.api.fhir.answering import open_to
from classifier.api.fhir.kinds import OBSERVATION, SEARCHED
from classifier.models import Analysis
from classifier.presenters.fhir import answers, proof, rows
from classifier.presenters.fhir.teller import Teller
from skinclinic.api.base import ApiRequest
from skinclinic.fhir.parts import Json, entry, issue, outcome
from skinclinic.fhir.references import key_of, referred
from skinclinic.web.counts import gettext as _
from skinclinic.web.inputs import is_key

# Beside those that were found, on one page.
MOST = 1000
INCLUDE, REVERSE = "_include", "_revinclude"
# {resource: {parameter by which it refers: (where that stands in it, which resources it may be)}}
REFERS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "BodyStructure": {"patient": ("patient", ("Patient",))},
    "Media": {"patient": ("subject", ("Patient",)), "subject": ("subject", ("Patient",))},
    "DiagnosticReport": {
        "patient": ("subject", ("Patient",)), "subject": ("subject", ("Patient",)),
        "media": ("media.link", ("Media",)), "result": ("result", (OBSERVATION,)),
    },
    OBSERVATION: {
        "patient": ("subject", ("Patient",)), "subject": ("subject", ("Patient",)),
        "focus": ("focus", ("BodyStructure",)), "device": ("device", ("Device",)),
        "derived-from": ("derivedFrom", ("Media",)),
    },
    "Provenance": {"target": ("target", ("DiagnosticReport", OBSERVATION)), "agent": ("agent.who", ("Device",))},
}  # fmt: skip
# {resource: what refers to it and may come along}
REFERRED: dict[str, tuple[str, ...]] = {
    "Patient": (
        "BodyStructure:patient", "Media:patient", "Media:subject", "DiagnosticReport:patient",
        "DiagnosticReport:subject", "Observation:patient", "Observation:subject", "Provenance:patient",
    ),
    "Media": ("DiagnosticReport:media",),
    "DiagnosticReport": ("Provenance:target",),
}  # fmt: skip


def includes(kind: str) -> list[str]:
    """What ``_include`` may say in a search for the resource."""
    return [f"{kind}:{name}" for name in REFERS.get(kind, ())]


def reverse(kind: str) -> list[str]:
    """What ``_revinclude`` may say."""
    return list(REFERRED.get(kind, ()))


class Included:
    """What comes along with the resources ``kind`` that a search finds. Raises ValidationError for what does not."""

    def __init__(self, request: ApiRequest, kind: str, teller: Teller):
        self.kind, self.teller = kind, teller
        self._paths = dict.fromkeys(
            one for sent in request.query_params.getlist(INCLUDE) for one in self._forward(sent)
        )
        self._back = dict.fromkeys(request.query_params.getlist(REVERSE))
        for sent in self._back:
            if sent not in REFERRED.get(kind, ()):
                raise ValidationError({REVERSE: [_cannot(sent, reverse(kind))]})
        self._hidden = 0

    def _forward(self, sent: str) -> list[tuple[str, str]]:
        """[(where the reference stands, to which resource)]"""
        source, _colon, rest = sent.partition(":")
        name, colon, target = rest.partition(":")
        path, targets = REFERS.get(self.kind, {}).get(name, ("", ()))
        if source != self.kind or not path or (colon and target not in targets):
            raise ValidationError({INCLUDE: [_cannot(sent, includes(self.kind))]})
        return [(path, one) for one in targets if not colon or one == target]

    def entries(self, found: list[Json]) -> tuple[list[Json], int]:
        """(entries of what comes along with ``found``, each once; how many answers are kept back until the own
        impression). Where more than MOST belong there, an outcome says so."""
        known = {key_of(one) for one in found}
        told: list[Json] = []
        for one in self._all(found):
            if key_of(one) in known:
                continue
            if len(told) == MOST:
                return [*told, entry(self.teller.base, _too_many(), "outcome")], self._hidden
            known.add(key_of(one))
            told.append(entry(self.teller.base, one, "include"))
        return told, self._hidden

    def _all(self, found: list[Json]) -> Iterator[Json]:
        asked: dict[str, dict[str, None]] = {}
        for one in found:
            for path, target in self._paths:
                for kind, key in referred(one, path):
                    if kind == target:
                        asked.setdefault(kind, {})[key] = None
        for kind, keys in asked.items():
            yield from self._named(kind, list(keys))
        for sent in self._back if found else ():
            source, _colon, name = sent.partition(":")
            yield from self._referring(source, name, ",".join(one["id"] for one in found))

    def _named(self, kind: str, keys: list[str]) -> Iterator[Json]:
        """The resources of these ids."""
        if kind != OBSERVATION:
            numbers = [int(key) for key in keys if is_key(key)]
            yield from self._told(kind, SEARCHED[kind].rows(self.teller.user).filter(pk__in=numbers))
            return
        wanted = set(keys)
        of = {key.removeprefix("answer-").partition("-")[0] for key in keys}
        answered = _answered(self.teller).filter(pk__in=[int(one) for one in of if is_key(one)])
        yield from (one for one in self._scores(answered) if one["id"] in wanted)

    def _referring(self, source: str, name: str, keys: str) -> Iterator[Json]:
        """The resources ``source`` that refer by ``name`` to one of these ids, which commas part."""
        if source != OBSERVATION:
            kind = SEARCHED[source]
            found = kind.parameters[name].narrow(kind.rows(self.teller.user), keys, self.teller)
            yield from self._told(source, found)
            return
        proven = rows.own(rows.pathologies(), self.teller.user)
        for row in kinds.OF_PATHOLOGY[name].narrow(proven, keys, self.teller)[: MOST + 1]:
            yield proof.pathology(row, self.teller)
        yield from self._scores(kinds.OF_SCORES[name].narrow(_answered(self.teller), keys, self.teller))

    def _told(self, name: str, found: QuerySet) -> Iterator[Json]:
        kind, some = SEARCHED[name], list(found[: MOST + 1])
        yield from (kind.tell(row, self.teller) for row in (self._open(some) if kind.of_answers else some))

    def _scores(self, found: QuerySet[Analysis]) -> Iterator[Json]:
        for row in self._open(list(found[: MOST + 1])):
            yield from answers.scores(row, self.teller)

    def _open(self, some: list[Analysis]) -> list[Analysis]:
        shown, _outcomes = open_to(some, self.teller)
        self._hidden += len(some) - len(shown)
        return shown


def _answered(teller: Teller):
    return rows.own(rows.analyses(), teller.user).filter(analysed_at__isnull=False)


def _cannot(sent: str, known: list[str]) -> str:
    if not known:
        return _("Nothing comes along with this resource.")
    return _("“%(sent)s” does not come along here. There are: %(known)s.") % {
        "sent": sent[:60], "known": ", ".join(known),
    }  # fmt: skip


def _too_many() -> Json:
    text = _(
        "More than %(most)d resources come along with this page; the others are left out. Ask for fewer at a time by"
        " _count."
    )
    return outcome(issue("incomplete", text % {"most": MOST}, severity="warning"))
