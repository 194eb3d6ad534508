"""Two people change one patient, lesion or pathology: nothing of either is lost without a word."""

import json
import re
from html import unescape

import pytest

from skinclinic.models import Diagnosis, Lesion, Patient, RecordChange
from skinclinic.services import diagnoses
from skinclinic.services.merging import merge
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db

UNITS = (("year",), ("sex",), ("site", "x"))
SEEN = {"year": 1956, "sex": "", "site": "nose", "x": 0.5}


@each(
    "wanted, stands, changes, clashes",
    [
        ({}, {"year": 1960}, {}, []),
        (SEEN, {"year": 1960}, {}, []),  # nothing of mine: theirs stays
        ({"year": 1960}, {}, {"year": 1960}, []),
        ({"year": 1960}, {"sex": "male"}, {"year": 1960}, []),
        ({"year": 1960}, {"year": 1960}, {}, []),  # both say the same
        ({"year": 1960}, {"year": 1961}, {}, [("year",)]),
        ({"year": None}, {"year": 1961}, {}, [("year",)]),
        ({"year": 1960, "sex": "male"}, {"year": 1961}, {"sex": "male"}, [("year",)]),
        (
            {"site": "cheek", "x": 0.1},
            {"x": 0.7},
            {},
            [("site", "x")],
        ),  # a site and its place belong together
        ({"site": "cheek"}, {"x": 0.7}, {}, [("site", "x")]),  # also where one of them is not sent
        ({"site": "nose ", "x": 0.5}, {"x": 0.7}, {}, []),  # spaces are no change
    ],
)
def test_only_what_one_changed_is_written_and_only_what_both_did_is_asked(wanted, stands, changes, clashes):
    merged = merge(UNITS, SEEN, wanted, SEEN | stands)
    assert (merged.changes, merged.clashes) == (changes, clashes)


def test_without_what_was_seen_nothing_clashes():
    assert merge(UNITS, {}, {"year": 1960}, SEEN | {"year": 1961}).changes == {"year": 1960}


def shown(page) -> dict:
    """The fields of the page's own form as a browser would send them, radio buttons not chosen."""
    html = page.content.decode()
    html = next(form for form in re.findall(r"<form.*?</form>", html, re.S) if 'name="seen"' in form)
    fields: dict = {}
    for tag in re.findall(r"<input[^>]*>", html):
        found = dict(re.findall(r'(\w[\w-]*)="([^"]*)"', tag))
        if found.get("type") in ("radio", "checkbox", "search") or "name" not in found:
            continue
        fields[found["name"]] = unescape(found.get("value", ""))
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', html, re.S):
        fields[name] = unescape(text)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


class TestPatient:
    @pytest.fixture
    def patient(self, clinic):
        return factories.make_patient(clinic, "P-0001", birth_year=1956, sex="female")

    @pytest.fixture
    def both(self, client_for, clinician, curator, patient):
        """What the two have open: (client, form) each."""
        address = f"/patients/{patient.pk}/edit/"
        return [(client, shown(client.get(address))) for client in map(client_for, (clinician, curator))]

    def test_different_fields_are_both_kept_without_a_question(self, both, patient, curator):
        (one, first), (other, second) = both
        address = f"/patients/{patient.pk}/edit/"
        assert one.post(address, first | {"birth_year": "1960"}).status_code == 302
        assert other.post(address, second | {"skin_type": "3", "ethnicity": "Korean"}).status_code == 302
        patient.refresh_from_db()
        assert (patient.birth_year, patient.skin_type, patient.ethnicity) == (1960, 3, "Korean")
        last = RecordChange.objects.first()
        assert (last.by, last.fields) == (curator, {"skin_type": [None, 3], "ethnicity": ["", "Korean"]})

    def test_the_same_field_is_asked_about_and_the_person_chooses(self, both, patient):
        (one, first), (other, second) = both
        address = f"/patients/{patient.pk}/edit/"
        one.post(address, first | {"birth_year": "1960", "sex": "male"})
        answer = other.post(address, second | {"birth_year": "1970", "skin_type": "2"})
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "1960" in page and "1970" in page and "Saved by Clara" in page
        patient.refresh_from_db()
        assert (patient.birth_year, patient.skin_type) == (1960, None)

        again = shown(answer)
        assert (again["asked"], again["birth_year"], again["sex"], again["skin_type"]) == (
            "birth_year", "1970", "male", "2",
        )  # fmt: skip
        for broken in (
            {},
            {"choose-birth_year": "both"},
            {"choose-birth_year": "mine", "birth_year": "soon"},
        ):
            unsaid = other.post(address, again | broken)
            assert unsaid.status_code == 422 and "Somebody else saved" in unsaid.content.decode()
            assert shown(unsaid)["asked"] == "birth_year"
        assert other.post(address, again | {"choose-birth_year": "theirs"}).status_code == 302
        patient.refresh_from_db()
        assert (patient.birth_year, patient.sex, patient.skin_type) == (1960, "male", 2)
        assert other.post(address, again | {"choose-birth_year": "mine"}).status_code == 302
        patient.refresh_from_db()
        assert (patient.birth_year, patient.sex) == (1970, "male")

    def test_a_third_version_is_asked_about_again(self, both, patient):
        (one, first), (other, second) = both
        address = f"/patients/{patient.pk}/edit/"
        one.post(address, first | {"ethnicity": "A"})
        again = shown(other.post(address, second | {"ethnicity": "B"}))
        one.post(address, shown(one.get(address)) | {"ethnicity": "C"})
        assert other.post(address, again | {"choose-ethnicity": "mine"}).status_code == 409
        patient.refresh_from_db()
        assert patient.ethnicity == "C"

    @each("seen", ["", "{", "[]", "x" * 70_000, "[" * 9000, '{"birth_year": {"a": 1}}', '{"code": null}'])
    def test_nonsense_of_what_was_seen_breaks_nothing(self, client_for, clinician, patient, seen):
        sent = {"code": "P-0001", "birth_year": "1956", "seen": seen, "asked": ["code", "\0", "nothing"]}
        assert client_for(clinician).post(f"/patients/{patient.pk}/edit/", sent).status_code in (
            302,
            409,
            422,
        )


class TestLesion:
    def test_notes_and_sites(self, client_for, clinician, curator, clinic):
        row = Lesion.objects.create(clinic=clinic, site="nose", site_x=0.25, site_y=0.5, state="done")
        address = f"/lesions/{row.pk}/edit/"
        one, other = client_for(clinician), client_for(curator)
        first, second = shown(one.get(address)), shown(other.get(address))
        one.post(address, first | {"note": "growing since spring, itches\r\nsecond line"})
        assert other.post(address, second | {"site": "cheek", "site_x": "0.3"}).status_code == 302
        row.refresh_from_db()
        assert (row.note[:7], row.site, row.site_x, row.state) == ("growing", "cheek", 0.3, "done")
        answer = other.post(address, second | {"note": "stable"})
        page = answer.content.decode()
        assert answer.status_code == 409 and "itches<br>second line" in page and "stable" in page
        assert other.post(address, shown(answer) | {"choose-note": "theirs"}).status_code == 302
        row.refresh_from_db()
        assert row.note.startswith("growing") and row.site == "cheek"
        # What is sent back as it was shown is no change, also over two lines.
        before = RecordChange.objects.count()
        assert one.post(address, shown(one.get(address))).status_code == 302
        assert RecordChange.objects.count() == before


class TestFiling:
    def test_photos_that_somebody_else_filed_meanwhile_are_asked_about(
        self, client_for, clinician, curator, clinic
    ):
        photos = [factories.make_photo(clinic, clinician, seed=n) for n in range(2)]
        address = f"/filing/?ids={photos[0].pk},{photos[1].pk}"
        one, other = client_for(clinician), client_for(curator)
        first, second = shown(one.get(address)), shown(other.get(address))
        mine, theirs = ({"code": code, "lesion": "new", "captured_on": ""} for code in ("P-2", "P-1"))
        assert one.post(address, first | theirs).status_code == 302
        answer = other.post(address, second | mine)
        page = answer.content.decode()
        assert answer.status_code == 409 and "2 photos were filed or changed" in page and "P-1" in page
        photos[0].lesion.refresh_from_db()
        assert photos[0].lesion.patient.code == "P-1" and not Patient.objects.filter(code="P-2").exists()
        assert other.post(address, shown(answer) | mine).status_code == 302
        photos[0].refresh_from_db()
        assert photos[0].lesion.patient.code == "P-2"


class TestPathology:
    D22 = {"diagnosis": "nevus", "confirmed_by": "histopathology", "diagnosed_on": "2026-01-05"}
    C43 = {"diagnosis": "mm", "confirmed_by": "histopathology", "text": "in situ"}

    @pytest.fixture
    def lesion(self, clinic, clinician):
        return Lesion.objects.create(clinic=clinic, created_by=clinician)

    @pytest.mark.parametrize("says", [True, False], ids=["seen", "old form"])
    def test_one_that_the_form_did_not_show_is_never_withdrawn(
        self, client_for, clinician, curator, lesion, says
    ):
        address = f"/lesions/{lesion.pk}/pathology/"
        seen = {"seen": ""} if says else {}
        client_for(clinician).post(address, self.D22 | seen)
        client = client_for(curator)
        answer = client.post(address, self.C43 | seen)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Melanocytic nevus" in page and "5 Jan 2026" in page and "in situ" in page and "Clara" in page
        standing = Diagnosis.objects.get()
        assert standing.withdrawn_at is None
        assert f'name="seen" value="{standing.pk}"' in page
        assert client.post(address, self.C43 | {"seen": standing.pk}).status_code == 302
        standing.refresh_from_db()
        assert standing.withdrawn_by == curator

    def test_one_that_was_withdrawn_meanwhile_is_not_corrected(self, client_for, clinician, curator, lesion):
        row = diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc")
        diagnoses.withdraw(row, curator)
        address = f"/lesions/{lesion.pk}/pathology/"
        answer = client_for(clinician).post(address, self.C43 | {"seen": row.pk})
        assert answer.status_code == 409 and "withdrawn meanwhile" in answer.content.decode()
        assert client_for(clinician).post(address, self.C43 | {"seen": ""}).status_code == 302

    def test_a_double_click_is_one(self, client_for, clinician, lesion):
        for _again in range(2):
            sent = client_for(clinician).post(f"/lesions/{lesion.pk}/pathology/", self.D22 | {"seen": ""})
            assert sent.status_code == 302
        assert Diagnosis.objects.count() == 1


class TestApi:
    @pytest.fixture
    def api(self, client_for, clinician):
        client = client_for(clinician)

        def call(method, path, data=None, **headers):
            body = json.dumps(data or {})
            return client.generic(
                method.upper(), f"/api/{path}", body, content_type="application/json", headers=headers
            )

        return call

    def test_if_match_refuses_with_both_versions(self, api, clinic, clinician):
        patient = factories.make_patient(clinic, birth_year=1956)
        photo = factories.make_photo(clinic, clinician)
        for path, mine, theirs in (
            (f"patients/{patient.pk}/", {"birth_year": 1960}, {"birth_year": 1970}),
            (f"lesions/{photo.lesion_id}/", {"note": "mine"}, {"note": "theirs"}),
            (f"photos/{photo.pk}/", {"kind": "overview"}, {"kind": "dermoscopic"}),
        ):
            seen = api("get", path).headers["ETag"]
            changed = api("patch", path, theirs, **{"If-Match": seen})
            assert changed.status_code == 200 and changed.headers["ETag"] != seen
            answer = api("patch", path, mine, **{"If-Match": seen})
            error, (name,) = answer.json()["error"], mine
            assert answer.status_code == 412 and error["code"] == "changed"
            assert error["fields"] == {name: {"yours": mine[name], "current": theirs[name]}}
            assert error["current"][name] == theirs[name]
            assert answer.headers["ETag"] == changed.headers["ETag"]
            for header in (f'"other", W/{answer.headers["ETag"]}', "*"):
                assert api("patch", path, mine, **{"If-Match": header}).status_code == 200
                api("patch", path, theirs)
            assert api("patch", path, mine).json()[name] == mine[name]  # without it, as before

    def test_only_what_was_sent_is_written(self, api, clinic, clinician):
        row = factories.make_photo(clinic, clinician).lesion
        Lesion.objects.filter(pk=row.pk).update(state="done", note="kept")
        assert api("patch", f"lesions/{row.pk}/", {"site": "nose"}).status_code == 200
        row.refresh_from_db()
        assert (row.state, row.note, row.site) == ("done", "kept", "nose")

    def test_a_pathology_may_say_which_it_replaces(self, api, clinic, curator):
        lesion = Lesion.objects.create(clinic=clinic)
        standing = diagnoses.record(lesion=lesion, user=curator, kind="pathology", disease="nevus")
        sent = {"lesion": lesion.pk, "kind": "pathology", "disease": "mm", "confirmed_by": "histopathology"}
        answer = api("post", "diagnoses/", sent | {"replaces": None})
        error = answer.json()["error"]
        assert answer.status_code == 409
        assert (error["current"]["id"], error["yours"]["disease"]) == (standing.pk, "mm")
        assert api("post", "diagnoses/", sent | {"replaces": standing.pk}).status_code == 201
        standing.refresh_from_db()
        assert standing.withdrawn_at
