"""Codes as a clinic has them: the shipped table with what its admins have changed. Whoever needs a code asks here.

codes = table(clinic)               # one query, then none
codes.site("nose", "SCT")           # a Code, or None
codes.of("disease", "scc")          # all of its codes
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from skinclinic.models import Clinic, ClinicCode, User
from skinclinic.services import audit
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import codes as vocabulary
from skinclinic.vocabulary.codes import DISEASE, FINDING, LATERALITY, PROCEDURE, SITE, Code

Place = tuple[str, str, str]
_TOLD = ("code", "display", "version", "source")


class Table:
    """The codes of one clinic."""

    def __init__(self, rows: Iterable[Code]):
        self._of: dict[tuple[str, str], list[Code]] = {}
        for row in rows:
            self._of.setdefault((row.kind, row.concept), []).append(row)

    def of(self, kind: str, concept: str) -> list[Code]:
        """All codes of a concept, SNOMED CT first, then by system; none for what there is no code for."""
        found = self._of.get((kind, concept), [])
        return sorted(found, key=lambda code: (code.system != "SCT", code.system))

    def one(self, kind: str, concept: str, system: str) -> Code | None:
        """The code of one system: a key of ``vocabulary.codes.SYSTEMS`` or a URI."""
        return next((code for code in self.of(kind, concept) if code.system == system), None)

    def disease(self, key: str, system: str = "SCT") -> Code | None:
        """Of one of the 12."""
        return self.one(DISEASE, key, system)

    def site(self, key: str, system: str = "SCT") -> Code | None:
        """Of an anatomic site (``vocabulary.sites``)."""
        return self.one(SITE, key, system)

    def laterality(self, key: str, system: str = "SCT") -> Code | None:
        """``key``: left, right, bilateral, midline."""
        return self.one(LATERALITY, key, system)

    def procedure(self, key: str, system: str = "SCT") -> Code | None:
        """``key``: photography, dermoscopy, biopsy, excision, histopathology."""
        return self.one(PROCEDURE, key, system)

    def finding(self, key: str, system: str = "SCT") -> Code | None:
        """``key``: skin_lesion."""
        return self.one(FINDING, key, system)

    def every(self) -> list[Code]:
        """All of them, in the order of the vocabulary."""
        known = vocabulary.concepts()
        return [code for place in known for code in self.of(*place)]


def table(clinic: Clinic | int) -> Table:
    """The clinic's codes, read once."""
    return Table(row.code for row in rows(clinic) if row.code)


@dataclass(frozen=True)
class Row:
    """One line of the page: ``code`` as it is now, None where the clinic has removed it; ``was``: as it is shipped,
    None where the clinic has added it; ``is_own``: the clinic has changed it."""

    place: Place
    code: Code | None
    was: Code | None
    is_own: bool


def rows(clinic: Clinic | int) -> list[Row]:
    """Everything that is shipped or was changed, by kind and concept in the vocabulary's order, then by system."""
    own = {(row.kind, row.concept, row.system): row for row in ClinicCode.objects.filter(clinic=clinic)}
    shipped = vocabulary.shipped()
    order = {place: number for number, place in enumerate(vocabulary.concepts())}
    places = [place for place in {**shipped, **own} if place[:2] in order]
    places.sort(key=lambda place: (order[place[:2]], place[2] != "SCT", place[2]))
    return [
        Row(place, _code(own[place]) if place in own else shipped[place], shipped.get(place), place in own)
        for place in places
    ]


def put(clinic: Clinic, user: User, code: Code) -> None:
    """Add a code or change it. Raises Refused where it cannot be one of its system, or for no concept of ours."""
    _require_concept(code.kind, code.concept)
    if not (system := vocabulary.system_called(code.system)):
        raise Refused(
            "system",
            _("This is no system that is known here. Give one of %(known)s, or the URI of another one.")
            % {"known": ", ".join(vocabulary.SYSTEMS)},
        )
    if not vocabulary.fits(system, code.code):
        raise Refused(
            "code",
            _("“%(code)s” cannot be a code of %(system)s: its form or its check digit is not right.")
            % {"code": code.code, "system": system},
        )
    _write(clinic, user, (code.kind, code.concept, system), {name: getattr(code, name) for name in _TOLD})


def remove(clinic: Clinic, user: User, place: Place) -> None:
    """Have no code there, also where one is shipped."""
    if place in vocabulary.shipped():
        _write(clinic, user, place, dict.fromkeys(_TOLD, ""))
    else:
        restore(clinic, user, place)


@transaction.atomic
def restore(clinic: Clinic, user: User, place: Place | None = None) -> int:
    """Back to what is shipped: one place, or all of them. Returns how many were changed."""
    own = ClinicCode.objects.select_for_update().filter(clinic=clinic)
    if place is not None:
        own = own.filter(kind=place[0], concept=place[1], system=place[2])
    found = list(own)
    for row in found:
        shipped = vocabulary.shipped().get((row.kind, row.concept, row.system))
        _tell(clinic, user, (row.kind, row.concept, row.system), row, shipped)
    ClinicCode.objects.filter(pk__in=[row.pk for row in found]).delete()
    return len(found)


@transaction.atomic
def _write(clinic: Clinic, user: User, place: Place, values: dict[str, str]) -> None:
    kind, concept, system = place
    # The clinic's row: of two admins at the same place one comes after the other.
    Clinic.objects.select_for_update().get(pk=clinic.pk)
    key = {"clinic": clinic, "kind": kind, "concept": concept, "system": system}
    shipped = vocabulary.shipped().get(place)
    before = ClinicCode.objects.filter(**key).first()
    stands = before or shipped
    if stands and all(getattr(stands, name) == values[name] for name in _TOLD):
        return
    if shipped and all(getattr(shipped, name) == values[name] for name in _TOLD):
        restore(clinic, user, place)
        return
    after, _made = ClinicCode.objects.update_or_create(**key, defaults={**values, "changed_by": user})
    _tell(clinic, user, place, stands, after)


def _tell(
    clinic: Clinic,
    user: User,
    place: Place,
    before: Code | ClinicCode | None,
    after: Code | ClinicCode | None,
) -> None:
    def told(row: Code | ClinicCode | None) -> dict[str, str]:
        return {name: getattr(row, name) if row else "" for name in _TOLD}

    facts = dict(zip(("kind", "concept", "system"), place, strict=True))
    audit.record(
        "settings.codes", clinic, clinic=clinic, by=user, before=told(before), after=told(after), facts=facts
    )


def _code(row: ClinicCode) -> Code | None:
    if not row.code:
        return None
    return Code(row.kind, row.concept, row.system, row.code, row.display, row.version, row.source)


def _require_concept(kind: str, concept: str) -> None:
    if (kind, concept) not in vocabulary.concepts():
        raise Refused("concept", _("Choose what the code stands for."))
