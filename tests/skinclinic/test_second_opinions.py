"""Second opinions: what a link opens, for how long, and what it never tells."""

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from skinclinic.engine import jobs
from skinclinic.models import OpinionGiven, OpinionLook, Patient, PhotoDecision, SecondOpinion
from skinclinic.services import cases, second_opinions, worklist
from skinclinic.services.refused import Refused
from tests import factories
from tests.cases import each

pytestmark = pytest.mark.django_db
ANSWER = {"diagnosis": "mm", "diagnosis_typed": "Malignant melanoma", "nature": "malignant", "biopsy": "yes"}
NOT_TOLD = ["P-0001", "1961", "lesion.jpg", "/photos/", "/lesions/", "/static/photos"]


@pytest.fixture
def case(analysis):
    """A filed lesion with an analysed photo, of which everything is known."""
    lesion = analysis.photo.lesion
    lesion.patient = factories.make_patient(lesion.clinic, birth_year=1961, sex="female")
    lesion.site, lesion.note = "back", "grows; see P-0001"
    lesion.save()
    return lesion


def link_for(case, clinician, shows=(), **said):
    opinion, secret = second_opinions.ask_outside(
        case, clinician, **{"name": "Noor Ibn", "photos": list(case.photos.all()), "shows": shows, **said}
    )
    return opinion, reverse("opinion", args=[secret])


def test_a_link_shows_the_photo_and_little_else_until_the_colleague_has_answered(case, clinician):
    opinion, address = link_for(case, clinician, SecondOpinion.Show.values, question="Excise?")
    client = Client()
    first = client.get(address)
    page = first.content.decode()
    assert first.headers["Referrer-Policy"] == "no-referrer" and "no-store" in first.headers["Cache-Control"]
    assert "noindex" in first.headers["X-Robots-Tag"] and "Excise?" in page
    # What is allowed from the beginning: a range of ages, and a note without the code that stands in it.
    year = timezone.localdate().year - 1961
    assert f"{year // 10 * 10}–" in page and "Female" in page and "Back" in page and "grows; see –" in page
    assert not [text for text in NOT_TOLD if text in page] and str(case.pk) not in opinion.shows
    assert "The model" not in page and client.get(f"{address}heatmap/1").status_code == 404
    shown = Image.open(io.BytesIO(client.get(f"{address}photo/1").content))
    assert not shown.getexif() and not shown.info.get("comment")
    whole = client.get(f"{address}photo/1?size=whole")
    assert "photo-1.jpg" in whole.headers["Content-Disposition"]
    assert Image.open(io.BytesIO(b"".join(whole.streaming_content))).size == shown.size
    assert client.get(f"{address}photo/2").status_code == 404
    assert client.get(f"{address}terms/?q=keratoac").json()["terms"]
    # Nothing is taken half filled in.
    refused = client.post(address, ANSWER | {"nature": ""})
    assert refused.status_code == 422 and not OpinionGiven.objects.exists()
    assert client.post(address, ANSWER).status_code == 302
    after = client.get(address).content.decode()
    assert "The model" in after and "Your answer is saved" in after and "Diagnosis of Clara" in after
    assert not [text for text in NOT_TOLD if text in after]
    assert client.get(f"{address}heatmap/1").headers["Content-Type"] == "image/jpeg"
    # Another answer is kept beside the first; the same again is no other.
    client.post(
        address, ANSWER | {"diagnosis": "", "diagnosis_typed": "Spitz naevus of the sole", "biopsy": "unsure"}
    )
    client.post(
        address, ANSWER | {"diagnosis": "", "diagnosis_typed": "Spitz naevus of the sole", "biopsy": "unsure"}
    )
    versions = list(opinion.given.all())
    assert [(row.disease, row.after_more) for row in versions] == [("", True), ("mm", False)]
    # It is nobody's impression or decision.
    assert not case.diagnoses.exists() and not PhotoDecision.objects.exists()
    opinion.refresh_from_db()
    assert opinion.opened_at and set(opinion.looks.values_list("what", flat=True)) == {
        "page",
        "photo",
        "answer",
    }


def test_little_is_shown_unless_it_is_allowed(case, clinician):
    _opinion, address = link_for(case, clinician)
    client = Client()
    client.post(address, ANSWER)
    page = client.get(address).content.decode()
    assert not [text for text in ("Female", "Back", "grows", "The model", "Diagnosis of") if text in page]
    assert client.get(f"{address}heatmap/1").status_code == 404


@each("how", ["withdrawn", "expired", "refused", "moved", "unknown"])
def test_a_link_ends(how, case, clinician):
    opinion, address = link_for(case, clinician)
    if how == "withdrawn":
        second_opinions.withdraw(opinion, clinician)
    elif how == "expired":
        SecondOpinion.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    elif how == "refused":
        Patient.objects.update(research_consent=Patient.Consent.REFUSED)
    elif how == "moved":
        case.photos.update(lesion=factories.make_photo(case.clinic, clinician, seed=9).lesion)
    else:
        address = reverse("opinion", args=["a" * 43])
    client = Client()
    answers = [client.get(address), client.post(address, ANSWER), client.get(f"{address}photo/1")]
    assert {answer.status_code for answer in answers} == {404} and not OpinionGiven.objects.exists()
    words = {"withdrawn": "was withdrawn", "expired": "has expired", "unknown": "nothing here"}
    assert words.get(how, "case is closed") in answers[0].content.decode()
    assert OpinionLook.objects.filter(what="refused").exists() == (how != "unknown")


def test_nobody_asks_for_ever(case, clinician, monkeypatch):
    monkeypatch.setattr(second_opinions, "MOST_A_MINUTE", 1)
    _opinion, address = link_for(case, clinician)
    statuses = [Client().get(address).status_code for _time in range(2)]
    assert statuses == [200, 429]


def test_an_answer_is_changed_so_often_and_not_after_the_link_has_ended(case, clinician, monkeypatch):
    monkeypatch.setattr(second_opinions, "MOST_ANSWERS", 2)
    opinion, _address = link_for(case, clinician)
    said = {"disease": "mm", "nature": "malignant", "biopsy": "yes"}
    for comment in ("", "sure"):
        second_opinions.answer(opinion, said | {"comment": comment})
    with pytest.raises(Refused, match="very often"):
        second_opinions.answer(opinion, said | {"comment": "quite sure"})
    # Somebody withdraws it while the page is open; what the page knows is older.
    other, _address = link_for(case, clinician)
    second_opinions.withdraw(SecondOpinion.objects.get(pk=other.pk), clinician)
    with pytest.raises(second_opinions.LinkEnded):
        second_opinions.answer(other, said)
    assert OpinionGiven.objects.count() == 2


def test_consent_taken_back_ends_links_and_says_so(case, clinician, client_for):
    case.patient.research_consent = Patient.Consent.GIVEN
    case.patient.save()
    opinion, _address = link_for(case, clinician)
    from skinclinic.services import records

    saved = records.change(case.patient, {"research_consent": Patient.Consent.REFUSED}, clinician)
    assert ("second_opinions", 1) in [(effect.key, effect.count) for effect in saved.effects]
    opinion.refresh_from_db()
    assert opinion.withdrawn_at
    with pytest.raises(Refused):
        link_for(case, clinician)


def test_the_page_that_asks(case, clinician, coordinator, client_for, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    client, address = client_for(clinician), reverse("lesion-opinion-new", args=[case.pk])
    sent = {
        "outside-name": "Noor Ibn", "outside-email": "noor@example.org", "outside-days": 14,
        "outside-photos": [case.cover_id], "outside-shows": ["site"],
    }  # fmt: skip
    wrong = client.post(address, sent | {"outside-question": "Is p 0001 malignant?"})
    assert wrong.status_code == 422 and "stays in the clinic" in wrong.content.decode()
    assert client.post(address, sent | {"outside-photos": []}).status_code == 422
    made = client.post(address, sent).content.decode()
    opinion = SecondOpinion.objects.get()
    assert opinion.shows == ["site"] and opinion.secret_sha256 not in made
    jobs.run_waiting("mail")
    (letter,) = mail.outbox
    link = next(line for line in letter.body.split() if "/opinion/" in line)
    assert link in made and "P-0001" not in letter.body and Client().get(link).status_code == 200
    # Once it is answered the lesion tells, apart from impressions; a member who must decide first is not told.
    Client().post(link, ANSWER)
    lesion_page = reverse("lesion", args=[case.pk])
    assert "Noor Ibn" in (shown := client.get(lesion_page).content.decode()) and "1 from outside" in shown
    assert "opinion-given" in shown
    case.clinic.impression_first = True
    case.clinic.save()
    assert "opinion-given" not in client.get(lesion_page).content.decode()
    # What a colleague asks may tell what they think.
    SecondOpinion.objects.update(asked_by=coordinator, question="Surely a melanoma?")
    assert "Surely" not in client.get(lesion_page).content.decode()
    assert client_for(coordinator).post(address, sent).status_code == 403
    client.post(reverse("opinion-withdraw", args=[opinion.pk]))
    assert Client().get(link).status_code == 404


def test_a_member_who_is_asked_finds_the_case_until_they_have_decided(case, clinician, curator, client_for):
    address = reverse("lesion-opinion-new", args=[case.pk])
    sent = {"who": "member", "member-colleague": curator.pk, "member-question": "Excise?"}
    assert client_for(clinician).post(address, sent).status_code == 302
    assert "asked already" in client_for(clinician).post(address, sent).content.decode()
    member = curator.memberships.get()

    def for_me():
        filters = worklist.Filters(show=worklist.FOR_ME)
        return list(worklist.lesions(member.clinic, curator, filters, answers_open=True))

    assert for_me() == [case]
    cases.note_decision(case.cover, curator, diagnosis=None, decided_at=timezone.now(), disagrees=False)
    assert for_me() == []
    assert (
        "the model set aside" in client_for(clinician).get(reverse("lesion", args=[case.pk])).content.decode()
    )
