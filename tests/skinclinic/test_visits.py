"""Notes and symptoms of visits, notes and history of patients: what is kept, who may change it, what is shown."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from django.utils.html import escape

from skinclinic.models import Lesion, Note, RecordChange, Symptoms
from skinclinic.services import filing, records, visit_records
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import asked
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import audited

HTMX = {"HX-Request": "true"}


def today():
    return timezone.localdate()


def seen_in(text: str) -> str:
    """What the symptoms' form says that it showed."""
    return json.dumps(json.loads(unescape(re.search(r'name="seen" value="([^"]*)"', text)[1])))


@each(
    ("column", "text", "said"),
    [
        ("itch", "True", ("Itch", "Yes")),
        ("grew", "UNK", ("Growth", "Not known")),
        ("BLEED", "False", ("Bleeding", "No")),
        ("cancer_history", "False", ("Cancer before, patient or family", "No")),
        ("diameter_1", "6.0", ("Largest diameter in mm", "6.0")),
        ("hair", "True", None),
    ],
)
def test_columns_of_archives_are_told_in_the_same_words(column, text, said):
    assert asked.of_column(column, text) == said


class TestNotes:
    def test_a_note_is_written_found_changed_and_taken_back_by_its_author_only(
        self, client_for, clinician, curator, photo
    ):
        client, other = client_for(clinician), client_for(curator)
        address = f"/lesions/{photo.lesion_id}/notes/"
        sent = {"on": today().isoformat(), "text": "Dermatoscope: <arborizing> vessels"}
        for _twice in range(2):
            text = client.post(address, sent, headers=HTMX).content.decode()
        note = Note.objects.get()
        assert escape("<arborizing>") in text and (note.visit_on, note.created_by) == (today(), clinician)
        for page in (f"/lesions/{photo.lesion_id}/", f"/photos/{photo.pk}/"):
            assert "arborizing" in other.get(page).content.decode()
        assert f"photo-{photo.pk}" in client.get("/?q=arboriz&show=all").content.decode() or (
            f"/photos/{photo.pk}/" in client.get("/?q=arboriz&show=all").content.decode()
        )
        assert other.post(f"/notes/{note.pk}/", {"text": "mine"}, headers=HTMX).status_code == 403
        seen = json.dumps(records.values_of(note))
        answer = client.post(f"/notes/{note.pk}/", {"text": "Glassy", "seen": seen}, headers=HTMX)
        assert "Glassy" in answer.content.decode() and "until" in answer.content.decode()
        # From another tab, opened before: both versions are shown, nothing is overwritten.
        answer = client.post(f"/notes/{note.pk}/", {"text": "Dull", "seen": seen}, headers=HTMX)
        text = answer.content.decode()
        assert answer.status_code == 409 and "Glassy" in text and "Dull" in text
        again = {"text": "Dull", "seen": seen_of_edit(text), "asked": "text"}
        answer = client.post(f"/notes/{note.pk}/", again, headers=HTMX)
        assert answer.status_code == 422 and "Choose one version" in answer.content.decode()
        client.post(f"/notes/{note.pk}/", again | {"choose-text": "mine"}, headers=HTMX)
        client.post(f"/notes/{note.pk}/", {"taken_back": "yes"}, headers=HTMX)
        note.refresh_from_db()
        assert (note.text, note.is_taken_back, note.words.count()) == ("Dull", True, 0)
        assert audited("note.change")
        assert [change.fields for change in note.changes.all()][-1]["text"][1] == "Glassy"
        client.post(f"/notes/{note.pk}/", {"taken_back": "no"}, headers=HTMX)
        assert note.words.filter(word="dull").exists()

    def test_what_cannot_be_kept_is_said_at_its_place(self, client_for, clinician, photo):
        client = client_for(clinician)
        address, day = f"/lesions/{photo.lesion_id}/notes/", today()
        for on, text, said in (
            (day, "  ", "Write something first"),
            (day, "x" * 4001, "Shorten this to 4,000"),
            (day + timedelta(days=1), "later", "lies in the future"),
            ("soon", "later", "Choose the day of the visit"),
        ):
            answer = client.post(address, {"on": str(on), "text": text}, headers=HTMX)
            assert answer.status_code == 422 and said in answer.content.decode()
        assert not Note.objects.exists()
        # Without scripts: a page of its own with what was typed, or back to where the form stood.
        answer = client.post(address, {"on": "soon", "text": "kept words"})
        assert answer.status_code == 422 and "kept words" in answer.content.decode()
        page = f"http://testserver/photos/{photo.pk}/"
        answer = client.post(address, {"on": str(day), "text": "ok"}, headers={"Referer": page})
        assert answer.status_code == 302 and answer.url == f"/photos/{photo.pk}/"

    def test_colleagues_notes_wait_for_the_own_impression(
        self, client_for, clinic, clinician, curator, photo
    ):
        visit_records.add_note(curator, "looks like a wart", lesion=photo.lesion, visit_on=today())
        clinic.impression_first = True
        clinic.save()
        client = client_for(clinician)
        for page in (f"/lesions/{photo.lesion_id}/", f"/photos/{photo.pk}/"):
            text = client.get(page).content.decode()
            assert "looks like" not in text
            assert "Colleagues' notes are shown once" in text
        assert client.get("/api/notes/").json()["results"][0]["text"] is None
        assert client_for(curator).get("/api/notes/").json()["results"][0]["text"] == "looks like a wart"
        assert f"/photos/{photo.pk}/" not in client.get("/?q=looks&show=all").content.decode()


def seen_of_edit(text: str) -> str:
    """What the open form of a note says that it showed."""
    return unescape(re.findall(r'name="seen" value="([^"]*)"', text)[-1])


class TestSymptoms:
    def test_nothing_is_assumed_of_what_was_not_asked(self, client_for, clinician, photo):
        client, address = client_for(clinician), f"/lesions/{photo.lesion_id}/symptoms/"
        text = client.get(f"/lesions/{photo.lesion_id}/").content.decode()
        assert "Nothing was asked." in text and not Symptoms.objects.exists()
        sent = {
            "on": today().isoformat(),
            "itch": "yes",
            "bleed": "unknown",
            "grew": "no",
            "since": " May  2026 ",
        }
        text = client.post(address, sent | {"seen": seen_in(text)}, headers=HTMX).content.decode()
        row = Symptoms.objects.get()
        assert (row.itch, row.bleed, row.grew, row.changed, row.since) == (
            "yes",
            "unknown",
            "no",
            "",
            "May 2026",
        )
        line = "Itch: Yes · Bleeding: Not known · Growth: No · since May 2026 · not asked: Change, Pain, Elevation"
        assert line in text and "(Clara, " in text
        answer = client.post(address, {"on": today().isoformat(), "itch": "perhaps"}, headers=HTMX)
        assert answer.status_code == 422 and "Choose one of the answers" in answer.content.decode()

    def test_two_people_ask_at_once(self, client_for, clinician, curator, photo):
        client, address = client_for(clinician), f"/lesions/{photo.lesion_id}/symptoms/"
        seen = seen_in(client.get(f"/lesions/{photo.lesion_id}/").content.decode())
        visit_records.record_symptoms(photo.lesion, today(), {"itch": "no", "hurt": "no"}, curator)
        sent = {"on": today().isoformat(), "seen": seen, "itch": "yes", "bleed": "yes", "hurt": ""}
        answer = client.post(address, sent, headers=HTMX)
        text = answer.content.decode()
        assert answer.status_code == 409 and "Saved by Curtis" in text and "Choose which holds" in text
        # A mistake elsewhere does not make the form forget what it had shown.
        long = client.post(address, sent | {"since": "x" * 121}, headers=HTMX)
        assert long.status_code == 422 and seen_in(long.content.decode()) == seen
        chosen = {"asked": "itch", "choose-itch": "theirs", "seen": seen_in(text)}
        assert client.post(address, sent | chosen | {"hurt": "no"}, headers=HTMX).status_code == 200
        row = Symptoms.objects.get()
        assert (row.itch, row.bleed, row.hurt) == ("no", "yes", "no")
        assert RecordChange.objects.filter(symptoms=row, by=clinician).get().fields == {"bleed": ["", "yes"]}
        assert audited("symptoms.change")

    def test_a_lesion_with_symptoms_is_not_empty_and_they_go_with_its_photos(self, clinic, clinician, photo):
        patient, source = factories.make_patient(clinic), photo.lesion
        home = Lesion.objects.create(clinic=clinic, patient=patient)
        note = visit_records.add_note(clinician, "with the photo", lesion=source, visit_on=today())
        row = visit_records.record_symptoms(source, today(), {"itch": "yes"}, clinician).row
        details = filing.Details(keep_day=True)
        receipt = filing.file_photos([photo], user=clinician, patient=patient, lesion=home, details=details)
        for one in (note, row):
            one.refresh_from_db()
        assert note.lesion == row.lesion == home and not Lesion.objects.filter(pk=source.pk).exists()
        filing.undo(json.loads(json.dumps(receipt)))
        note.refresh_from_db()
        assert note.lesion_id != home.pk and visit_records.any_of(note.lesion)
        with pytest.raises(Refused):
            visit_records.record_symptoms(home, today() + timedelta(days=1), {"itch": "yes"}, clinician)


def test_an_archives_entry_says_it_in_the_same_words(client_for, curator, photo):
    columns = {"itch": "True", "grew": "UNK", "smoke": "False", "hair": "much"}
    entry = factories.make_entry(photo, curator, columns=columns)
    text = client_for(curator).get(f"/archive/photos/{entry.pk}/").content.decode()
    assert all(
        words in text for words in ("Itch: Yes", "Growth: Not known", "Smokes: No", "<code>hair</code> much")
    )
    assert "<code>itch</code>" not in text


def test_history_and_notes_of_a_patient(client_for, clinic, clinician):
    patient, client = factories.make_patient(clinic, "H-1"), client_for(clinician)
    page = f"/patients/{patient.pk}/"
    text = client.get(page).content.decode()
    assert "Nothing was asked." in text and "No notes yet." in text
    sent = {"skin_cancer_history": "yes", "immunosuppressed": "unknown", "seen": seen_in(text)}
    text = client.post(f"{page}history/", sent, headers=HTMX).content.decode()
    assert "Skin cancer before: Yes · Immunosuppression or transplant: Not known" in text
    client.post(f"{page}notes/", {"text": "transplant 2019?"}, headers=HTMX)
    assert "transplant 2019?" in client.get(page).content.decode()
    # Changing the patient elsewhere leaves it as it is.
    client.post(f"{page}edit/", {"code": "H-2", "sex": "female"})
    patient.refresh_from_db()
    assert (patient.code, patient.sex, patient.skin_cancer_history) == ("H-2", "female", "yes")


def test_undoing_a_filing_keeps_a_new_patient_of_whom_something_was_written(clinic, clinician, photo):
    patient, details = factories.make_patient(clinic, "NEW-1"), filing.Details(keep_day=True)
    receipt = filing.file_photos([photo], user=clinician, patient=patient, details=details, new_patient=True)
    visit_records.add_note(clinician, "called twice", patient=patient)
    filing.undo(json.loads(json.dumps(receipt)))
    assert patient.notes.get().text == "called twice"


def test_the_api_keeps_what_others_recorded(client_for, clinician, photo):
    client, day = client_for(clinician), today().isoformat()
    made = client.post(
        "/api/symptoms/", {"lesion": photo.lesion_id, "visit_on": day, "itch": "yes"}, "application/json"
    )
    assert made.status_code == 201 and made.json()["bleed"] == ""
    again = client.post(
        "/api/symptoms/", {"lesion": photo.lesion_id, "visit_on": day, "itch": "no"}, "application/json"
    )
    assert again.status_code == 409 and again.json()["error"]["current"]["itch"] == "yes"
    address = f"/api/symptoms/{made.json()['id']}/"
    tag = client.get(address)["ETag"]
    for wanted, status in (({"itch": "no"}, 200), ({"itch": "yes"}, 412), ({"visit_on": "2026-01-01"}, 400)):
        answer = client.patch(address, wanted, "application/json", headers={"If-Match": tag})
        assert answer.status_code == status, answer.content
    note = client.post(
        "/api/notes/", {"lesion": photo.lesion_id, "visit_on": day, "text": "firm"}, "application/json"
    )
    assert note.status_code == 201
    assert client.post("/api/notes/", {"text": "of nothing"}, "application/json").status_code == 400
    empty = client.patch(f"/api/notes/{note.json()['id']}/", {"text": " "}, "application/json")
    assert empty.status_code in (400, 409)
    patient = f"/api/patients/{factories.make_patient(photo.clinic, 'API-1').pk}/"
    tag = client.get(patient)["ETag"]
    for wanted, status in (({"smoke": "maybe"}, 400), ({"smoke": "unknown"}, 200), ({"smoke": "no"}, 412)):
        answer = client.patch(patient, wanted, "application/json", headers={"If-Match": tag})
        assert answer.status_code == status
    assert answer.json()["error"]["current"]["smoke"] == "unknown"
