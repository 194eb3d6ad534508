"""Another label: a reason, no proof unless the new one is stated, the code and no subtype of the old one."""

import pytest

from skinclinic.archive.models import BackgroundDisease
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.datasets import checks, datasets
from skinclinic.vocabulary import icd10
from skinclinic.vocabulary.diseases import DISEASES
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(clinic, curator):
    photo = factories.make_photo(clinic, curator)
    return factories.make_entry(
        photo, curator, label="ak", icd10="L57.0", subtype="atrophic", is_proven=True, review="accepted",
        confirmed_by="histopathology", reviewed_by=curator,
    )  # fmt: skip


@pytest.fixture
def client(client_for, curator):
    return client_for(curator)


def facts(entry) -> tuple:
    entry.refresh_from_db()
    return entry.label, entry.icd10, entry.subtype, entry.is_proven, entry.confirmed_by, entry.review


def form(entry, **changed) -> dict:
    """The entry's form as the page has it, with what a person changes."""
    return {
        "label": "Actinic keratosis", "subtype": "Atrophic", "icd10": entry.icd10, "is_proven": "on",
        "confirmed_by": entry.confirmed_by, "impression": "", "text": "", "reason": "", "proof": "",
    } | changed  # fmt: skip


def test_the_proof_of_another_label_does_not_stay(entry, curator):
    change = review.edit(entry=entry, user=curator, label="bcc", reason="Seen on the photo")
    assert facts(entry) == ("bcc", "C44.9", "", False, "", "pending")
    assert change.note == "Seen on the photo" and change.fields["is_proven"] == [True, False]
    review.undo(change, curator)
    assert facts(entry) == ("ak", "L57.0", "atrophic", True, "histopathology", "accepted")
    assert entry.reviewed_by == curator


@each("proof, is_proven", [("histopathology", True), ("single image expert consensus", False)])
def test_a_new_proof_is_stated(entry, curator, proof, is_proven):
    review.edit(entry=entry, user=curator, label="bcc", reason="Report", proof=proof)
    assert facts(entry)[3:5] == (is_proven, proof)


def test_the_old_values_of_a_form_do_not_come_along(entry, client):
    address = url("archive-entry", entry.pk)
    answer = client.post(address, form(entry, label="Basal cell carcinoma"))
    assert answer.status_code == 422 and "Say why the photo gets another label." in answer.content.decode()
    assert facts(entry)[0] == "ak"
    client.post(address, form(entry, label="Basal cell carcinoma", reason="Pathology report"))
    assert facts(entry) == ("bcc", "C44.9", "", False, "", "pending")
    assert "Pathology report" in client.get(address).content.decode()


def test_what_is_typed_anew_beside_the_label_is_kept(entry, client):
    values = form(entry, label="Basal cell carcinoma", reason="Report", icd10="C44.3", subtype="Nodular")
    client.post(url("archive-entry", entry.pk), values | {"proof": "histopathology"})
    assert facts(entry) == ("bcc", "C44.3", "nodular", True, "histopathology", "pending")


def test_other_corrections_keep_label_and_proof(entry, client):
    client.post(url("archive-entry", entry.pk), form(entry, text="Report 12"))
    assert facts(entry) == ("ak", "L57.0", "atrophic", True, "histopathology", "accepted")
    assert entry.text == "Report 12"


def test_in_review_a_reason_is_needed_and_the_proof_dropped(entry, client):
    address = url("review-label", entry.pk)
    answer = client.post(address, {"label": "bcc"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and "Say why" in answer.content.decode() and facts(entry)[0] == "ak"
    client.post(address, {"label": "bcc", "reason": "Seen on the photo"}, headers={"HX-Request": "true"})
    assert facts(entry) == ("bcc", "C44.9", "", False, "", "pending")


def test_the_code_of_a_background_disease_is_the_vocabularys(entry, curator, clinic):
    BackgroundDisease.objects.create(clinic=clinic, name="Rosacea", icd10="L71.9")
    review.edit(entry=entry, user=curator, label="rosacea", reason="x")
    assert facts(entry)[:2] == ("Rosacea", "L71.9")
    review.edit(entry=entry, user=curator, label="Granuloma faciale", reason="x")
    assert facts(entry)[:2] == ("Granuloma faciale", "")


def test_codes_that_fit():
    for disease in DISEASES:
        assert icd10.fits(disease.key, disease.icd10) and icd10.fits(disease.key, disease.icd10_cm)
        assert icd10.fits(disease.key, "")
    assert icd10.fits("mm", "D03.5") and icd10.fits("scc", "L85.8") and icd10.fits("Rosacea", "C44.9")
    assert (
        not icd10.fits("bcc", "L57.0") and not icd10.fits("scc", "L85.1") and not icd10.fits("nevus", "D03.9")
    )


def test_a_dataset_is_checked_for_codes_that_do_not_fit(draft, curator):
    def found():
        return next(check for check in checks.of(draft) if check.key == "icd10")

    assert found().passed
    item = draft.items.filter(label="bcc").first()
    draft.items.filter(pk=item.pk).update(icd10="L57.0")
    assert not found().passed and [one.pk for one in found().items] == [item.pk]
    # A label given in the dataset only brings its code, too.
    datasets.relabel(draft, [item.pk], "ak")
    assert found().passed and draft.items.get(pk=item.pk).icd10 == "L57.0"


def test_two_curators_keep_what_the_other_saved(entry, client):
    address = url("archive-entry", entry.pk)
    seen = {"seen": client.get(address).context["seen"]}
    old = form(entry)
    client.post(
        address, old | seen | {"label": "Basal cell carcinoma", "reason": "Report", "text": "nodular"}
    )
    # The other one's form still shows the old label, code and proof, and changes none of them.
    assert client.post(address, old | seen | {"impression": "Wart"}).status_code == 302
    assert facts(entry) == ("bcc", "C44.9", "", False, "", "pending")
    assert (entry.text, entry.impression) == ("nodular", "wart")
    clash = client.post(address, old | seen | {"text": "superficial"})
    assert clash.status_code == 409 and "meanwhile to: nodular" in clash.content.decode()
    seen = {"seen": clash.context["seen"]}
    assert client.post(address, old | seen | {"text": "superficial"}).status_code == 302
    assert facts(entry)[0] == "bcc" and entry.text == "superficial"
