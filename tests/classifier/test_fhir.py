"""FHIR R4: what is read and searched for, each resource held against fhir.resources; what is kept back from whom."""

import base64
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from fhir.resources.R4B import get_fhir_model_class

from classifier.api.fhir import including, kinds, observations, searching, totals
from classifier.services.analysis import assessments
from skinclinic.fhir import dates
from skinclinic.models import AuditEvent, Diagnosis, Lesion, Photo
from skinclinic.services import codes, diagnoses, kept_counts, records
from skinclinic.vocabulary.codes import Code
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db
FHIR = "/api/v1/fhir"
BASE = f"http://testserver{FHIR}"
SCT = "http://snomed.info/sct"


@pytest.fixture
def patient(clinic, clinician):
    return factories.make_patient(clinic, "P-1042", sex="female", birth_year=1961, created_by=clinician)


@pytest.fixture
def analysis(analysis):
    """Three diseases are listed."""
    analysis.scores = dict.fromkeys(analysis.scores, 0.01) | {"mm": 0.61, "bcc": 0.2, "nevus": 0.11}
    analysis.save()
    return analysis


@pytest.fixture
def case(analysis, patient, clinician):
    """A filed lesion of the cheek with a photo, its answer and a pathology."""
    lesion = analysis.photo.lesion
    lesion.patient, lesion.site = patient, "cheek"
    lesion.save()
    said = {"kind": "pathology", "disease": "bcc", "confirmed_by": "histopathology", "icd10": "C44.3"}
    diagnoses.record(lesion=lesion, user=clinician, diagnosed_on=date(2026, 3, 4), **said)
    return lesion


@pytest.fixture
def program(clinician):
    """A record system with a token that may only read, sent as FHIR's clients send one."""
    return _program(clinician)


def checked(resource: dict) -> dict:
    """The resource, if it is one of FHIR R4; within a Bundle each of them."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    for entry in resource.get("entry", ()):
        checked(entry["resource"])
    return resource


def read(client: Client, address: str, status: int = 200) -> dict:
    answer = client.get(address if address.startswith("http") else f"{FHIR}/{address}")
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/fhir+json"
    return checked(json.loads(answer.content))


def found(bundle: dict, mode: str = "match") -> list[dict]:
    return [one["resource"] for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


def told(outcome: dict) -> str:
    """The code of the product in an OperationOutcome."""
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]["details"]["coding"][0]["code"]


def test_the_server_says_what_it_can_to_everybody(program, case):
    said = read(Client(), "metadata")
    assert said["fhirVersion"] == "4.0.1" and said["implementation"]["url"] == BASE
    offered = {one["type"]: one for one in said["rest"][0]["resource"]}
    assert set(offered) == {
        "Patient", "BodyStructure", "Media", "DiagnosticReport", "Observation", "Provenance", "Device", "Binary",
        "CodeSystem", "OperationDefinition",
    }  # fmt: skip
    # What is told is so: each parameter of each resource is taken.
    for name, one in offered.items():
        for parameter in one.get("searchParam", ()):
            value = (
                "2026" if parameter["type"] == "date" else "female" if parameter["name"] == "gender" else "1"
            )
            read(program, f"{name}?{parameter['name']}={value}")
        for way, along in (("_include", "searchInclude"), ("_revinclude", "searchRevInclude")):
            asked = "&".join(f"{way}={one}" for one in one.get(along, ()))
            said = read(program, f"{name}?{asked}") if asked else {}
            assert bool(found(said, "include")) == bool(asked), name
    assert {one["name"] for one in offered["Patient"]["operation"]} == {"match"}
    # The standard has no such operation: it is defined here.
    (own,) = offered["BodyStructure"]["operation"]
    assert read(program, own["definition"])["url"] == own["definition"]


def test_a_patient_under_the_code_and_a_lesion_with_its_codes(program, case, patient, clinic):
    said = read(program, f"Patient/{patient.pk}")
    assert said["identifier"] == [
        {"use": "usual", "system": f"{BASE}/NamingSystem/patient-code-{clinic.slug}", "value": "P-1042"}
    ]
    assert (said["gender"], said["birthDate"]) == ("female", "1961") and "name" not in said
    lesion = read(program, f"BodyStructure/{case.pk}")
    assert lesion["location"]["coding"] == [{"system": SCT, "code": "36141000", "display": "Skin of cheek"}]
    assert lesion["patient"]["reference"] == f"Patient/{patient.pk}"


def test_an_answer_as_a_report_with_a_score_of_each_listed_disease(program, case, analysis):
    report = read(program, f"DiagnosticReport/{analysis.pk}")
    assert report["status"] == "preliminary" and "does not diagnose" in report["conclusion"]
    assert "thresholds" in report["conclusion"].lower() and "random weights" in report["conclusion"]
    results = [one["reference"] for one in report["result"]]
    chosen = next(one for one in analysis.model_version.threshold_sets.all() if one.name == "balanced")
    above = {key for key, score in analysis.scores.items() if score > chosen.values[key]}
    assert above == {"mm", "bcc", "nevus"} and {one.rpartition("-")[2] for one in results} == above
    for address in results:
        score = read(program, address)
        disease = address.rpartition("-")[2]
        assert score["valueQuantity"]["value"] == analysis.scores[disease]
        assert score["referenceRange"][0]["low"]["value"] == chosen.values[disease]
        # No finding of the patient: the disease stands in a component, under a code that says what it is.
        assert "valueCodeableConcept" not in score
        assert score["component"][0]["valueCodeableConcept"]["coding"][0]["code"] == disease
        assert "does not diagnose" in score["note"][0]["text"] and "f32" in score["method"]["text"]
        assert score["focus"][0]["reference"] == f"BodyStructure/{case.pk}"
    # What speaks against scores stands before them, wherever they are told.
    type(analysis).objects.filter(pk=analysis.pk).update(unlike=1.4)
    unlike = "Not like the model’s training photos."
    assert read(program, f"DiagnosticReport/{analysis.pk}")["conclusion"].startswith(unlike)
    assert read(program, results[0])["note"][0]["text"].startswith(unlike)
    device = read(program, f"Device/{analysis.model_version_id}")
    assert device["version"][0]["value"] == analysis.model_version.weights_sha256
    provenance = read(program, f"Provenance/{analysis.pk}")
    assert [one["reference"] for one in provenance["target"]] == [f"DiagnosticReport/{analysis.pk}", *results]
    assert provenance["agent"][0]["who"]["reference"] == f"Device/{analysis.model_version_id}"
    assert "balanced" in provenance["entity"][1]["what"]["display"]


def test_pathology_has_the_code_that_was_recorded_and_stays_when_it_is_withdrawn(
    program, case, clinician, clinic
):
    codes.put(clinic, clinician, Code("disease", "bcc", "SCT", "254701007", "Basal cell carcinoma of skin"))
    row = case.diagnoses.get(kind="pathology")
    said = read(program, f"Observation/pathology-{row.pk}")
    by_system = {one["system"]: one["code"] for one in said["valueCodeableConcept"]["coding"]}
    assert by_system[SCT] == "254701007"
    assert by_system["http://hl7.org/fhir/sid/icd-10"] == "C44.3"
    assert by_system["http://terminology.hl7.org/CodeSystem/icd-o-3"] == "8090/3"
    assert (said["status"], said["effectiveDateTime"]) == ("final", "2026-03-04")
    assert said["method"]["coding"][0]["code"] == "252416005"
    diagnoses.withdraw(row, clinician)
    assert read(program, f"Observation/pathology-{row.pk}")["status"] == "entered-in-error"


def test_photos_and_reports_are_fetched_as_files_and_as_resources(program, case, analysis):
    media = read(program, f"Media/{analysis.photo_id}")
    assert media["modality"]["coding"][1] == {
        "system": "http://dicom.nema.org/resources/ontology/DCM",
        "code": "XC",
        "display": "External-camera Photography",
    }
    assert "lesion.jpg" not in json.dumps(media)
    answer = program.get(media["content"]["url"])
    jpeg = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "image/jpeg" and jpeg[:2] == b"\xff\xd8"
    assert program.get(media["content"]["url"], headers={"If-None-Match": answer["ETag"]}).status_code == 304
    as_json = program.get(media["content"]["url"], headers={"Accept": "application/fhir+json"})
    assert base64.b64decode(checked(as_json.json())["data"]) == jpeg
    report = program.get(read(program, f"DiagnosticReport/{analysis.pk}")["presentedForm"][0]["url"])
    assert report["Content-Type"] == "application/pdf" and report.content.startswith(b"%PDF")
    heatmap = program.get(f"{FHIR}/Binary/heatmap-{analysis.pk}-mm")
    assert heatmap["Content-Type"] == "image/png"
    assert program.get(f"{FHIR}/Binary/heatmap-{analysis.pk}-xx").status_code == 404


def test_a_record_system_finds_its_patient_by_the_code_however_it_is_written(program, case, patient, clinic):
    system = f"{BASE}/NamingSystem/patient-code-{clinic.slug}"
    for sent in ("P-1042", "p-1042", f"{system}|P-1042"):
        assert [one["id"] for one in found(read(program, f"Patient?identifier={sent}"))] == [str(patient.pk)]
    for sent in ("P-10", "urn:elsewhere|P-1042", f"{system}|", "|"):
        assert not found(read(program, f"Patient?identifier={sent}"))
    assert [one["id"] for one in found(read(program, "BodyStructure?patient.identifier=P-1042"))] == [
        str(case.pk)
    ]
    for sent in (patient.pk, f"Patient/{patient.pk}", f"{BASE}/Patient/{patient.pk}"):
        assert len(found(read(program, f"Media?subject={sent}"))) == 1
    assert not found(read(program, f"Media?patient={patient.pk + 1}"))


def test_searches_by_date_id_and_change(program, case, analysis, patient, clinician):
    Photo.objects.update(captured_at=timezone.make_aware(datetime(2026, 3, 4, 9, 30)))
    for sent, count in (
        ("2026", 1), ("2026-03", 1), ("2026-03-04", 1), ("2026-03-05", 0), ("ge2026-03-04", 1), ("gt2026-03-04", 0),
        ("lt2026-03-04", 0), ("le2026-03-04", 1), ("ne2026-03-04", 0), ("ge2026-03-01&date=lt2026-03-05", 1),
    ):  # fmt: skip
        assert len(found(read(program, f"DiagnosticReport?date={sent}"))) == count, sent
        score = read(program, f"Observation?code=score&date={sent}")
        assert bool(found(score)) == bool(count), sent
    assert len(found(read(program, "Observation?code=pathology&date=2026-03-04"))) == 1
    assert not found(read(program, "Observation?code=pathology&date=gt2026-03-04"))
    assert len(found(read(program, "Observation?code=pathology&date=2026-03-04T10:00"))) == 1, (
        "a time of its day"
    )
    assert len(found(read(program, f"Media?_id={analysis.photo_id},77"))) == 1
    before = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert not found(read(program, f"Patient?_lastUpdated=ge{before}"))
    records.change(patient, {"birth_year": 1960}, clinician)
    assert len(found(read(program, f"Patient?_lastUpdated=ge{before}"))) == 1
    assert len(found(read(program, "Patient?birthdate=1960&gender=female"))) == 1
    # The year alone is known, and lasts a year: R4's rules for spans.
    for finds in ("eq1960", "ge1960", "le1960", "ne1961", "ge1960-05", "gt1960-05", "le1960-05", "lt1960-05-04",
                  "ne1960-05", "sa1959", "eb1961", "sa1959-12-31", "lt1961", "1961,1960"):  # fmt: skip
        assert len(found(read(program, f"Patient?birthdate={finds}"))) == 1, finds
    for not_so in ("gt1960", "lt1960", "1960-05", "1960-01-01", "ne1960", "sa1960-05", "eb1960-05", "ge1961",
                   "ge1960-12-31", "lt1960-01-01", "1960-05-04T10:00:00Z"):  # fmt: skip
        assert not found(read(program, f"Patient?birthdate={not_so}")), not_so
    records.change(patient, {"birth_year": None}, clinician)
    assert not found(read(program, "Patient?birthdate=ne1961"))
    records.change(patient, {"birth_year": 1960}, clinician)


_OBSERVED = re.compile(r'SELECT "(skinclinic_diagnosis|classifier_analysis)"\."id"')


def test_pages_lead_from_one_to_the_next_and_hold_each_once(
    program, clinic, case, analysis, clinician, monkeypatch
):
    made = {str(factories.make_patient(clinic, f"P-{number}").pk) for number in range(5)} | {
        str(case.patient_id)
    }
    address, seen, pages = "Patient?_count=2", [], 0
    while address:
        page = read(program, address)
        seen += [one["id"] for one in found(page)]
        links = {one["relation"]: one["url"] for one in page["link"]}
        address, pages = links.get("next"), pages + 1
    assert pages == 3 and len(seen) == 6 and set(seen) == made
    assert read(program, "Patient?_count=0")["total"] == 6
    with monkeypatch.context() as patch:
        patch.setattr(searching, "MOST", 3)
        assert len(found(read(program, "Patient?_count=5"))) == 3, "no page holds more, whatever is asked for"
    # Observations are of two kinds of rows.
    diagnoses.record(
        lesion=case, user=clinician, kind="pathology", disease="scc", confirmed_by="histopathology"
    )
    whole = [one["id"] for one in found(read(program, "Observation"))]
    address, seen = "Observation?_count=1", []
    while address:
        with CaptureQueriesContext(connection) as asked:
            page = read(program, address)
        # A page asks for no more rows than it holds.
        rows = [one["sql"] for one in asked if _OBSERVED.match(one["sql"])]
        assert rows and all(" LIMIT " in sql.rpartition("ORDER BY")[2] for sql in rows)
        assert len(found(page)) == 1
        seen += [one["id"] for one in found(page)]
        address = {one["relation"]: one["url"] for one in page["link"]}.get("next")
    assert seen == whole and len(seen) > 4
    assert [one["id"] for one in found(read(program, f"Observation?_id={whole[-1]}"))] == [whole[-1]]


def test_pages_in_the_order_and_with_the_number_that_are_asked_for(program, clinic, case, analysis):
    for number, year in enumerate((1990, None, 1950)):
        factories.make_patient(clinic, f"P-{number}", birth_year=year)
    second = factories.make_photo(clinic, None, seed=2, lesion=case)
    Photo.objects.filter(pk=second.pk).update(captured_at=timezone.make_aware(datetime(2020, 1, 1)))

    def codes(address: str) -> list[str]:
        seen: list[str] = []
        before: list[str] = []
        while address:
            page = read(program, address)
            links = {one["relation"]: one["url"] for one in page["link"]}
            assert "cursor" not in links["first"]
            if seen:  # and back again
                assert _values(read(program, links["previous"])) == before
            before = _values(page)
            seen, address = seen + before, links.get("next", "")
        return seen

    for sent, expected in (
        ("identifier", ["P-0", "P-1", "P-1042", "P-2"]), ("-identifier", ["P-2", "P-1042", "P-1", "P-0"]),
        ("birthdate,_id", ["P-1", "P-2", "P-1042", "P-0"]), ("-birthdate", ["P-0", "P-1042", "P-2", "P-1"]),
        ("_lastUpdated", ["P-1042", "P-0", "P-1", "P-2"]), ("-_id", ["P-2", "P-1", "P-0", "P-1042"]),
    ):  # fmt: skip
        assert codes(f"Patient?_sort={sent}&_count=2") == expected, sent
    photos = [str(second.pk), str(analysis.photo_id)]
    assert [one["id"] for one in found(read(program, "Media?_sort=created"))] == photos
    assert [one["id"] for one in found(read(program, "Media?_sort=-created"))] == photos[::-1]
    for sent in ("date", "-issued"):
        assert len(found(read(program, f"DiagnosticReport?_sort={sent}"))) == 1
    assert "total" not in read(program, "Patient?_total=none")
    for sent in ("estimate", "accurate"):
        assert read(program, f"Patient?_count=1&_total={sent}")["total"] == 4


def test_of_many_the_total_is_what_was_counted_before_and_says_so(
    program, clinic, case, patient, clinician, outsider, monkeypatch
):
    monkeypatch.setattr(totals, "MOST", 2)
    monkeypatch.setattr(kept_counts, "FEW", 1)

    def told_of(address: str, client: Client = program) -> tuple[int | None, list[str]]:
        with CaptureQueriesContext(connection) as asked:
            page = read(client, address)
        counts = [one["sql"] for one in asked if "COUNT(" in one["sql"]]
        # What is counted in the request has a bound, or has come since.
        assert all(re.search(r" LIMIT [23]\b", sql) or '"id" > ' in sql for sql in counts), counts
        outcomes = [one["issue"][0] for one in found(page, "outcome")]
        assert {one["severity"] for one in outcomes} <= {"information"}
        return page.get("total"), [one["code"] for one in outcomes]

    factories.make_patient(clinic, "P-1")
    kept_counts.count_anew()
    assert told_of("Patient?_total=accurate") == (2, []), "so few are counted exactly"
    made = [factories.make_patient(clinic, f"P-{number}", sex="male") for number in range(2, 5)]
    kept_counts.count_anew()
    for ask in ("_total=accurate", "_total=estimate", "_count=0", "_count=1&_total=accurate&_sort=-_id"):
        assert told_of(f"Patient?{ask}") == (5, ["informational"]), ask
    assert told_of("Patient") == (None, [])
    (said,) = found(read(program, "Patient?_count=0"), "outcome")
    at = kept_counts.of(clinic, kept_counts.PATIENTS)[kept_counts.PATIENTS].at
    assert at and at.isoformat() in said["issue"][0]["details"]["text"]
    # Of what a search finds beside that no total is told; few are counted.
    assert told_of("Patient?gender=male&_total=accurate") == (None, ["too-costly"])
    assert told_of("Patient?gender=female&_count=0") == (1, [])
    made[0].delete()
    factories.make_patient(clinic, "P-9")
    assert told_of("Patient?_count=0") == (6, ["informational"])
    # Every kind that many have is counted so.
    for name, kind in kinds.SEARCHED.items():
        rows = kind.rows(clinician)
        assert (kind.counted_as != "") is (name != "Device")
        if kind.counted_as:
            assert kept_counts.kinds[kind.counted_as].of(clinic).count() == rows.count() > 0, name
    assert told_of("Patient?_count=0", _program(outsider)) == (0, [])


def _program(user) -> Client:
    return Client(headers={"Authorization": f"Bearer {factories.make_token(user, scope='read')}"})


def _values(page: dict) -> list[str]:
    return [one["identifier"][0]["value"] for one in found(page)]


def test_what_belongs_to_it_comes_along_once_and_no_more_than_may_be_seen(
    program, case, analysis, patient, clinic, clinician, outsider, monkeypatch
):
    def along(address: str, client: Client = program) -> set[str]:
        page = read(client, address)
        every = [f"{one['resourceType']}/{one['id']}" for one in found(page, "include")]
        assert len(every) == len(set(every))
        return set(every)

    whose, report = f"Patient/{patient.pk}", f"DiagnosticReport/{analysis.pk}"
    scores = {f"Observation/answer-{analysis.pk}-{key}" for key in ("mm", "bcc", "nevus")}
    proof = f"Observation/pathology-{case.diagnoses.get(kind='pathology').pk}"
    assert along("Media?_include=Media:patient&_include=Media:subject:Patient") == {whose}
    assert along("DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:media") == {
        f"Media/{analysis.photo_id}", *scores,
    }  # fmt: skip
    assert along("Observation?code=score&_include=Observation:device&_include=Observation:focus") == {
        f"Device/{analysis.model_version_id}", f"BodyStructure/{case.pk}",
    }  # fmt: skip
    assert along("Provenance?_include=Provenance:target:DiagnosticReport") == {report}
    everything = "&".join(
        f"_revinclude={one}:patient"
        for one in ("BodyStructure", "Media", "DiagnosticReport", "Observation", "Provenance")
    )
    its_own = {
        f"BodyStructure/{case.pk}", f"Media/{analysis.photo_id}", report, f"Provenance/{analysis.pk}", proof, *scores
    }  # fmt: skip
    assert along(f"Patient?identifier=P-1042&{everything}") == its_own
    # What is found already does not come along a second time.
    assert along("DiagnosticReport?_revinclude=Provenance:target") == {f"Provenance/{analysis.pk}"}
    # Nothing of another clinic's, even of a patient who has the same code there.
    factories.make_patient(outsider.memberships.get().clinic, "P-1042")
    stranger = Client(headers={"Authorization": f"Bearer {factories.make_token(outsider)}"})
    assert not along(f"Patient?identifier=P-1042&{everything}", stranger)
    with monkeypatch.context() as few:
        few.setattr(including, "MOST", 2)
        page = read(program, f"Patient?{everything}")
        assert len(found(page, "include")) == 2
        assert "More than 2 resources" in found(page, "outcome")[0]["issue"][0]["details"]["text"]
    clinic.impression_first = True
    clinic.save()
    assert along(f"Patient?identifier=P-1042&{everything}") == its_own - scores - {
        report,
        f"Provenance/{analysis.pk}",
    }
    page = read(program, "Media?_revinclude=DiagnosticReport:media")
    assert "1 answer is left out" in found(page, "outcome")[0]["issue"][0]["details"]["text"]


def test_a_patient_is_matched_by_the_code_for_certain_or_not_at_all(
    program, case, patient, clinic, clinician, outsider
):
    system = f"{BASE}/NamingSystem/patient-code-{clinic.slug}"

    def match(sent: dict, client: Client = program, status: int = 200, **more) -> dict:
        parameters = [{"name": "resource", "resource": {"resourceType": "Patient", **sent}}]
        parameters += [{"name": name, **value} for name, value in more.items()]
        body = {"resourceType": "Parameters", "parameter": parameters}
        answer = client.post(f"{FHIR}/Patient/$match", body, content_type="application/fhir+json")
        assert answer.status_code == status, answer.content
        return checked(json.loads(answer.content))

    code = [{"system": system, "value": "p-1042"}]
    said = match({"identifier": code}, onlyCertainMatches={"valueBoolean": True}, count={"valueInteger": 3})
    assert [one["id"] for one in found(said)] == [str(patient.pk)] and said["total"] == 1
    search = said["entry"][0]["search"]
    assert search["score"] == 1.0
    assert search["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/match-grade", "valueCode": "certain"}
    ]
    event = AuditEvent.objects.first()
    assert (event.action, event.patient_key, event.via) == ("patient.match", patient.pk, "token")
    # Names are compared with nothing, which is said, and go nowhere.
    named = match({"identifier": code, "name": [{"family": "Verysecret"}], "gender": "unknown"})
    assert found(named) and "no names" in found(named, "outcome")[0]["issue"][0]["details"]["text"]
    assert "Verysecret" not in "".join(str(vars(one)) for one in AuditEvent.objects.all())
    for contradicted in ({"gender": "male"}, {"birthDate": "1960-03-04"}):
        left = match({"identifier": code, **contradicted})
        assert not found(left) and left["total"] == 0
        assert "is left out" in found(left, "outcome")[0]["issue"][0]["details"]["text"]
    assert found(match({"identifier": code, "gender": "female", "birthDate": "1961"}))
    for unknown in ([{"value": "P-10"}], [{"system": "urn:elsewhere", "value": "P-1042"}]):
        assert not match({"identifier": unknown}).get("entry")
    factories.make_patient(clinic, "A-9", is_archived=True)
    assert not match({"identifier": [{"value": "A-9"}]}).get("entry"), (
        "nobody of the archive is a patient here"
    )
    assert AuditEvent.objects.first().action == "patient.match"
    # Two patients fit: neither is certain, until it is said whose code it is.
    factories.make_patient(clinic, "P-2")
    both = match({"identifier": [*code, {"value": "P-2"}]})
    assert not found(both) and "none is certain" in found(both, "outcome")[0]["issue"][0]["details"]["text"]
    elsewhere = factories.make_patient(outsider.memberships.get().clinic, "P-1042")
    stranger = Client(headers={"Authorization": f"Bearer {factories.make_token(outsider)}"})
    assert not match({"identifier": code}, stranger).get("entry")
    assert [one["id"] for one in found(match({"identifier": [{"value": "P-1042"}]}, stranger))] == [
        str(elsewhere.pk)
    ]
    for wrong in (
        {}, {"identifier": []}, {"identifier": [{"system": system}]}, {"identifier": ["P-1042"]},
        {"identifier": [{"value": 5}]}, {"identifier": code * 11}, {"identifier": code, "birthDate": "yesterday"},
        {"identifier": code, "birthDate": "1961-02-30"}, {"identifier": code, "gender": "woman"},
        {"identifier": [{"sytem": system, "value": "P-1042"}]},
    ):  # fmt: skip
        assert told(match(wrong, status=400)) == "invalid", wrong
    assert told(match({"identifier": code}, status=400, count={"valueInteger": 0})) == "invalid"
    assert (
        told(match({"identifier": code}, status=400, onlyCertainMatches={"valueString": "yes"})) == "invalid"
    )
    assert told(match({"identifier": code}, status=400, more={"valueString": "yes"})) == "invalid"
    good = [{"name": "resource", "resource": {"resourceType": "Patient", "identifier": code}}]
    for body in (
        {}, {"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": [5]},
        {"resourceType": "Parameters", "parameter": good, "contained": []},
    ):  # fmt: skip
        answer = program.post(f"{FHIR}/Patient/$match", body, content_type="application/json")
        assert answer.status_code == 400 and told(checked(answer.json())) == "invalid"


def test_a_page_of_observations_looks_through_few_answers_and_leads_on(program, case, analysis, monkeypatch):
    monkeypatch.setattr(observations, "BATCH", 1)
    monkeypatch.setattr(observations, "BATCHES", 1)
    second = factories.make_analysis(factories.make_photo(case.clinic, None, seed=2, lesion=case), None)
    second.scores = analysis.scores
    second.save()
    # What lists nothing is passed over, and the pages still come to an end.
    nothing = factories.make_analysis(factories.make_photo(case.clinic, None, seed=3, lesion=case), None)
    assert max(nothing.scores.values()) < 0.1
    seen: list[str] = []
    address = "Observation?code=score"
    while address:
        page = read(program, address)
        seen += [one["id"].split("-")[1] for one in found(page)]
        address = {one["relation"]: one["url"] for one in page["link"]}.get("next")
    assert set(seen) == {str(second.pk), str(analysis.pk)}


def test_all_of_a_lesion_in_one_bundle(program, case, analysis, clinician, client_for):
    bundle = read(program, f"BodyStructure/{case.pk}/$everything")
    kinds = [one["resourceType"] for one in found(bundle)]
    assert {
        "Patient",
        "BodyStructure",
        "Media",
        "Observation",
        "DiagnosticReport",
        "Device",
        "Provenance",
    } == set(kinds)
    addresses = {one["fullUrl"] for one in bundle["entry"]}
    assert len(addresses) == len(bundle["entry"])
    for address in addresses:
        read(program, address)
    # What is referred to is there.
    referred = {f"{BASE}/{one}" for one in _references(bundle)}
    assert referred <= addresses
    # The same as a file from the case's page, with the photo in it.
    answer = client_for(clinician).get(f"/lesions/{case.pk}/fhir.json")
    assert answer["Content-Disposition"] == f'attachment; filename="lesion-{case.pk}.fhir.json"'
    whole = checked(json.loads(answer.content))
    assert whole["type"] == "collection"
    photo = next(one["resource"] for one in whole["entry"] if one["resource"]["resourceType"] == "Binary")
    assert base64.b64decode(photo["data"])[:2] == b"\xff\xd8"
    assert {one["fullUrl"] for one in whole["entry"]} - addresses == {
        f"{BASE}/Binary/photo-{analysis.photo_id}"
    }
    assert (
        f"/lesions/{case.pk}/fhir.json" in client_for(clinician).get(f"/lesions/{case.pk}/").content.decode()
    )
    assert AuditEvent.objects.filter(action="lesion.export", patient_key=case.patient_id).count() == 2


def _references(told) -> set[str]:
    if isinstance(told, list):
        return set().union(*map(_references, told))
    if not isinstance(told, dict):
        return set()
    own = {told["reference"]} if isinstance(told.get("reference"), str) else set()
    return own.union(*map(_references, told.values()))


def test_answers_are_kept_back_until_the_own_impression_and_that_is_said(
    program, case, analysis, clinic, clinician, client_for
):
    clinic.impression_first = True
    clinic.save()
    for address in (
        f"DiagnosticReport/{analysis.pk}", f"Provenance/{analysis.pk}", f"Observation/answer-{analysis.pk}-mm",
        f"Binary/heatmap-{analysis.pk}-mm", f"Binary/report-{analysis.pk}",
    ):  # fmt: skip
        assert told(read(program, address, 409)) == "impression_first"
    for kind in ("DiagnosticReport", "Provenance", "Observation?code=score"):
        page = read(program, kind)
        assert not found(page)
        assert "1 answer is left out" in found(page, "outcome")[0]["issue"][0]["details"]["text"]
    everything = read(program, f"BodyStructure/{case.pk}/$everything")
    assert {one["resourceType"] for one in found(everything)} == {
        "Patient",
        "BodyStructure",
        "Media",
        "Observation",
    }
    assert found(everything, "outcome")
    file = json.loads(client_for(clinician).get(f"/lesions/{case.pk}/fhir.json").content)
    assert "DiagnosticReport" not in {one["resource"]["resourceType"] for one in checked(file)["entry"]}
    assert not set(map(str, analysis.scores.values())) & set(json.dumps(file).split())
    assessments.record_impression(clinician, analysis, None)
    assert found(read(program, "DiagnosticReport")) and found(read(program, "Observation?code=score"))


def test_nothing_of_another_clinic_or_of_an_archive_is_found(case, analysis, outsider, clinic):
    stranger = Client(headers={"Authorization": f"Bearer {factories.make_token(outsider)}"})
    row = case.diagnoses.get(kind="pathology")
    for address in (
        f"Patient/{case.patient_id}", f"BodyStructure/{case.pk}", f"Media/{analysis.photo_id}",
        f"DiagnosticReport/{analysis.pk}", f"Observation/pathology-{row.pk}", f"Binary/photo-{analysis.photo_id}",
        f"BodyStructure/{case.pk}/$everything",
    ):  # fmt: skip
        assert told(read(stranger, address, 404)) == "not_found"
    for kind in ("Patient", "BodyStructure", "Media", "DiagnosticReport", "Observation", "Provenance"):
        assert "entry" not in read(stranger, kind)
    assert not found(read(stranger, "Patient?identifier=P-1042"))


def test_what_is_archived_or_not_filed_is_no_patient_here(program, case, analysis, patient):
    Lesion.objects.update(patient=None)
    read(program, f"BodyStructure/{case.pk}", 404)
    assert "subject" not in read(program, f"Media/{analysis.photo_id}")
    assert "focus" not in found(read(program, "Observation?code=score"))[0]
    Lesion.objects.update(patient=patient, is_archived=True)
    type(patient).objects.update(is_archived=True)
    for kind in ("Patient", "BodyStructure", "Media", "DiagnosticReport", "Observation"):
        assert "entry" not in read(program, kind)
    assert not found(read(program, "Patient?identifier=P-1042"))


@each(
    "address, status, code",
    [
        ("Patient/999999", 404, "not_found"), ("Patient/x", 404, "not_found"), ("Nothing", 404, "not_found"),
        ("Patient?name=Kim", 400, "invalid"), ("Patient?_count=many", 400, "invalid"),
        ("Patient?birthdate=yesterday", 400, "invalid"), ("Patient?birthdate=9999999", 400, "invalid"),
        ("Patient?gender=unknown", 400, "invalid"), ("DiagnosticReport?date=2026-13-01", 400, "invalid"),
        ("Patient?cursor=x", 404, "not_found"), ("Observation?cursor=x", 404, "not_found"),
        ("Observation?date=0000", 400, "invalid"), ("Patient/1?_format=xml", 406, "not_acceptable"),
        ("Patient?_sort=name", 400, "invalid"), ("Patient?_sort=-,", 400, "invalid"),
        ("Observation?_sort=date", 400, "invalid"), ("Patient?_total=some", 400, "invalid"),
        ("Media?_include=Patient:media", 400, "invalid"), ("Media?_include=*", 400, "invalid"),
        ("Media?_include=Media:subject:Group", 400, "invalid"), ("Device?_revinclude=x", 400, "invalid"),
        ("Media?_include:iterate=Media:patient", 400, "invalid"), ("Patient/$match", 405, "method_not_allowed"),
        ("Patient?_sort=identifier&cursor=x", 404, "not_found"),
        ("Patient?identifier=", 400, "invalid"), ("Observation?code=", 400, "invalid"),
        ("Patient?_count=1&_count=2", 400, "invalid"), ("metadata?mode=terminology", 400, "invalid"),
        ("", 404, "not_found"), (BASE, 404, "not_found"),
        ("Patient?_format=application/fhir+json", 200, ""), ("Patient?gender=urn:x|Female", 200, ""),
        ("Patient?identifier=%00", 200, ""), ("Patient?_id=9999999999999999999999", 200, ""),
    ],
)  # fmt: skip
def test_errors_are_operation_outcomes(program, clinic, address, status, code):
    said = read(program, address, status)
    assert status == 200 or told(said) == code


def test_only_json_is_spoken_and_the_system_of_a_code_counts(program, patient):
    asked = {
        "application/fhir+xml": 406,
        "application/xml;q=0.9": 406,
        "application/fhir+xml, */*;q=0.1": 200,
        "text/html": 200,
    }
    for accept, status in asked.items():
        answer = program.get(f"{FHIR}/Patient/{patient.pk}", headers={"Accept": accept})
        assert answer.status_code == status, accept
        checked(json.loads(answer.content))
    for kind in ("application/fhir+xml", "text/plain", "application/x-www-form-urlencoded"):
        answer = program.generic("POST", f"{FHIR}/Patient/$match", b"{}", content_type=kind)
        assert answer.status_code == 415 and told(checked(answer.json())) == "unsupported_media_type"
    genders = "http://hl7.org/fhir/administrative-gender"
    for sent, number in (
        ("female", 1),
        (f"{genders}|female", 1),
        ("urn:elsewhere|female", 0),
        ("|female", 0),
    ):
        assert len(found(read(program, f"Patient?gender={sent}"))) == number, sent


def test_who_has_no_right_is_told_so_as_an_outcome(clinic, clinician):
    assert told(read(Client(), "Patient", 401)) == "not_authenticated"
    wrong = Client(headers={"Authorization": "Bearer skc_wrong"})
    assert told(read(wrong, "Patient", 401)) == "token_unknown"
    reading = Client(headers={"Authorization": f"Bearer {factories.make_token(clinician, scope='read')}"})
    answer = reading.post(f"{FHIR}/Patient", {}, content_type="application/json")
    assert answer.status_code == 403 and told(checked(answer.json())) == "token_read_only"
    writing = Client(headers={"Authorization": f"Bearer {factories.make_token(clinician)}"})
    assert told(checked(writing.post(f"{FHIR}/Patient").json())) == "method_not_allowed"


def test_every_look_and_every_list_is_written_down(program, case, analysis, patient):
    row = case.diagnoses.get(kind="pathology")
    for address, action in (
        (f"Patient/{patient.pk}", "patient.view"), (f"BodyStructure/{case.pk}", "lesion.view"),
        (f"Media/{analysis.photo_id}", "photo.view"), (f"Observation/pathology-{row.pk}", "diagnosis.view"),
        ("Patient?identifier=P-1042", "list.fetch"), ("Observation", "list.fetch"),
    ):  # fmt: skip
        read(program, address)
        event = AuditEvent.objects.first()
        assert event.action == action
        assert event.via == "token" and "P-1042" not in str(vars(event))


def test_what_is_the_same_still_is_not_sent_again(program, patient):
    answer = program.get(f"{FHIR}/Patient/{patient.pk}")
    again = program.get(f"{FHIR}/Patient/{patient.pk}", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_spans_of_dates():
    def span(text: str) -> tuple[str, str, str]:
        prefix, begin, end = dates.span(text, UTC)
        return prefix, begin.isoformat(), end.isoformat()

    assert span("2026") == ("eq", "2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00")
    assert span("le2026-12")[2] == "2027-01-01T00:00:00+00:00"
    assert span("sa2024-02-29")[2] == "2024-03-01T00:00:00+00:00"
    assert span("2026-03-04T10:00+09:00")[1:] == ("2026-03-04T10:00:00+09:00", "2026-03-04T10:01:00+09:00")
    _prefix, begin, end = dates.span("2026-03-04T10:00:00Z", UTC)
    assert end - begin == timedelta(seconds=1)
    for wrong in ("", "xx2026", "2026-1", "26", "2026-02-30", "2026-01-01T25:00", "1000", "9999"):
        with pytest.raises(ValueError):
            dates.span(wrong, UTC)


def test_the_codes_of_the_product_are_told(program, case):
    told_codes = {one["code"] for one in read(program, "CodeSystem/skinclinic")["concept"]}
    assert {"score", "pathology", "mm"} <= told_codes
    assert Diagnosis.objects.exists()
