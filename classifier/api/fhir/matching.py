"""``Patient/$match``: which patient a record system means, by the pseudonymous code alone; certain or nothing.

https://hl7.org/fhir/R4/patient-operation-match.html
"""

from datetime import UTC
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from classifier.api.fhir.answering import FhirView
from classifier.api.fhir.searching import patients_of
from classifier.presenters.fhir import people, rows
from classifier.presenters.fhir.teller import Teller
from skinclinic.api import strict
from skinclinic.api.base import ApiRequest
from skinclinic.fhir import dates
from skinclinic.fhir.parts import Json, bundle, entry, issue, outcome
from skinclinic.models import Patient
from skinclinic.services import audit
from skinclinic.web.counts import gettext as _

MOST_IDENTIFIERS = 10
GRADE = {"url": "http://hl7.org/fhir/StructureDefinition/match-grade", "valueCode": "certain"}
# What a Patient may say that is compared with nothing here, and what says nothing of a person.
_READ = frozenset(("identifier", "gender", "birthDate"))
_ASIDE = frozenset(("resourceType", "id", "meta", "implicitRules", "language", "text", "active"))
# What an identifier and a parameter may say in FHIR; another name is a slip of the pen, and would change what is found.
_OF_IDENTIFIER = frozenset(("id", "extension", "use", "type", "system", "value", "period", "assigner"))
_OF_PARAMETER = frozenset(("id", "extension", "name", "resource", "valueBoolean", "valueInteger"))
_GENDERS = ("male", "female", "other", "unknown")


class Match(FhirView):
    """Finds, and changes nothing: a token that may only read may ask."""

    only_reads = frozenset(("POST",))

    def post(self, request: ApiRequest) -> Response:
        self.require_known()
        strict.only(request, "resourceType", "id", "meta", "language", "parameter")
        teller, sent = self.teller(), _patient_sent(request.data)
        found, remarks = _found(sent, teller)
        audit.record("patient.match", found, facts={"found": found is not None})
        entries = []
        if found is not None:
            row = rows.own(rows.patients(), request.user).get(pk=found.pk)
            told = people.patient(row, teller)
            entries = [entry(teller.base, told, "match", score=1.0, extension=[GRADE])]
        total = len(entries)
        entries += [
            entry(teller.base, outcome(issue("informational", text, severity="information")), "outcome")
            for text in remarks
        ]
        return Response(bundle("searchset", entries, total=total))


def _patient_sent(body: dict[str, Any]) -> Json:
    """The Patient of a Parameters resource. Raises ValidationError."""
    given: dict[str, Json] = {}
    sent = body.get("parameter")
    if body.get("resourceType") != "Parameters" or not isinstance(sent, list):
        raise ValidationError(
            {"resourceType": [_("Send a Parameters resource with the parameter “resource”.")]}
        )
    for one in sent:
        name = one.get("name") if isinstance(one, dict) and _OF_PARAMETER.issuperset(one) else None
        if name not in ("resource", "onlyCertainMatches", "count") or name in given:
            raise ValidationError({"parameter": [_not_a_parameter()]})
        given[name] = one
    _hold("onlyCertainMatches", given, "valueBoolean", bool)
    _hold("count", given, "valueInteger", int)
    patient = given.get("resource", {}).get("resource")
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        raise ValidationError({"resource": [_("Give the Patient that is looked for.")]})
    return patient


def _hold(name: str, given: dict[str, Json], key: str, kind: type) -> None:
    """Raise ValidationError where a parameter is sent as something else; numbers are from 1."""
    if name not in given:
        return
    value = given[name].get(key)
    if type(value) is not kind or (isinstance(value, int) and kind is int and value < 1):
        raise ValidationError({name: [_("Give it as %(key)s.") % {"key": key}]})


def _not_a_parameter() -> str:
    return _("There are the parameters resource, onlyCertainMatches and count, each once.")


def _found(sent: Json, teller: Teller) -> tuple[Patient | None, list[str]]:
    """(the one patient that is meant, or None; what is said of why)."""
    candidates: dict[int, Patient] = {}
    for system, code in _identifiers(sent):
        candidates |= {one.pk: one for one in patients_of(system, code, teller)}
    remarks = []
    if set(sent) - _READ - _ASIDE:
        remarks.append(
            _("Compared are identifiers, sex and year of birth: the archive holds no names and addresses.")
        )
    year, gender = _year(sent.get("birthDate")), sent.get("gender")
    if gender not in (None, *_GENDERS):
        raise ValidationError({"gender": [_("Give one of %(known)s.") % {"known": ", ".join(_GENDERS)}]})
    fitting = [one for one in candidates.values() if not _contradicts(one, gender, year)]
    if len(fitting) < len(candidates):
        remarks.append(_("A patient with this code is left out: sex or year of birth differ."))
    if len(fitting) > 1:
        remarks.append(
            _("Several patients fit, so that none is certain. Say whose code it is: the clinic's system.")
        )
    return (fitting[0] if len(fitting) == 1 else None), remarks


def _identifiers(sent: Json) -> list[tuple[str | None, str]]:
    """[(system or None, value)]. Raises ValidationError."""
    told = sent.get("identifier")
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_IDENTIFIERS:
        raise ValidationError(
            {"identifier": [_("Give from 1 to %(most)d identifiers.") % {"most": MOST_IDENTIFIERS}]}
        )
    found = []
    for one in told:
        is_one = isinstance(one, dict) and _OF_IDENTIFIER.issuperset(one)
        system, value = (one.get("system"), one.get("value")) if is_one else (None, None)
        if not isinstance(value, str) or not isinstance(system, str | None):
            raise ValidationError(
                {"identifier": [_("Each identifier needs a value; system and value are texts.")]}
            )
        found.append((system, value))
    return found


def _year(sent: object) -> int | None:
    """The year of a date of birth. Raises ValidationError."""
    if sent is None:
        return None
    try:
        if not isinstance(sent, str) or "T" in sent:
            raise ValueError
        _prefix, begin, _end = dates.span(sent, UTC)
        if not sent.startswith(str(begin.year)):
            raise ValueError
    except ValueError:
        raise ValidationError({"birthDate": [_("Give a date such as 1961 or 1961-03-04.")]}) from None
    return begin.year


def _contradicts(row: Patient, gender: object, year: int | None) -> bool:
    """Whether both say something and not the same."""
    other_sex = gender in Patient.Sex.values and bool(row.sex) and row.sex != gender
    return other_sex or bool(year and row.birth_year and row.birth_year != year)
