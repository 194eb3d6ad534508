"""The own ranked differential: what is stored, what agreement counts, what the form takes and refuses."""

import pytest

from classifier.metrics import agreement
from classifier.models import Assessment
from classifier.services.analysis import assessments
from skinclinic.models import Diagnosis
from skinclinic.vocabulary.ranked import Differential, Ranked, twice

HTMX = {"HX-Request": "true", "HX-Target": "result-panel"}
SCC, AK = Ranked("scc", confidence="low"), Ranked("ak")


def test_a_differential_is_kept_as_it_is_said():
    said = Differential("high", (SCC, Ranked(icd10="L40.0", text="psoriasis vulgaris")))
    assert Differential.of_json(said.to_json()) == said
    assert said.said.startswith("confidence: high · 2. Squamous cell carcinoma (low) · 3. L40.0")
    assert said.beside(Ranked("scc")).others == said.others[1:]
    assert (
        not Differential() and Differential().to_json() == {} and Differential.of_json({}) == Differential()
    )
    assert twice([SCC, AK, Ranked("scc")]) == Ranked("scc") and twice([SCC, AK]) is None


class TestPages:
    @pytest.fixture
    def answer(self, analysis):
        return f"/analyses/{analysis.pk}"

    def test_from_the_impression_to_the_decision(self, client_for, clinician, analysis, answer):
        client = client_for(clinician)
        sent = {
            "choice": "bcc", "ranked": "1", "confidence": "medium",
            "other": ["scc", "", "as-typed"], "other_typed": ["Squamous cell carcinoma", "", "odd thing"],
            "other_confidence": ["low", "", ""],
        }  # fmt: skip
        text = client.post(f"{answer}/impression/", sent, headers=HTMX).content.decode()
        assert "confidence: medium · 2. Squamous cell carcinoma (low) · 3. odd thing" in text
        row = Assessment.objects.get()
        assert row.ranked == ["bcc", "scc", agreement.OTHER] and row.impression.disease == "bcc"
        # The decision takes it along; what is the first now does not stand further down as well.
        decided = {"decision": "change", "choice": "scc", "ranked": "1"}
        decided |= {"other": ["scc", "bcc"], "other_typed": ["", ""], "other_confidence": ["low", "high"]}
        client.post(f"{answer}/decision/", decided, headers=HTMX)
        row.refresh_from_db()
        assert row.conclusion.disease == "scc" and row.ranked == ["scc", "bcc"]
        page = client.get(f"/lesions/{analysis.photo.lesion_id}/").content.decode()
        assert "2. Basal cell carcinoma (high)" in page and "3. odd thing" in page

    def test_what_is_unclear_or_named_twice_is_told(self, client_for, clinician, answer):
        client = client_for(clinician)
        for others, said in (
            (["scc", "scc"], "“Squamous cell carcinoma” is named twice"),
            (["bcc"], "“Basal cell carcinoma” is named twice"),
            (["scc", "ak", "sk", "wart", "mm"], "at most five diagnoses"),
        ):
            sent = {"choice": "bcc", "ranked": "1", "other": others, "other_typed": [""] * len(others)}
            page = client.post(f"{answer}/impression/", sent, headers=HTMX)
            assert page.status_code == 422 and said in page.content.decode(), page.content.decode()[-3000:]
        sent = {"choice": "bcc", "ranked": "1", "other": [""], "other_typed": ["carcinoma"]}
        page = client.post(f"{answer}/impression/", sent, headers=HTMX)
        assert page.status_code == 422 and 'value="carcinoma"' in page.content.decode()
        assert not Diagnosis.objects.exists()


def test_keeping_the_diagnosis_with_another_differential(clinician, analysis):
    first = assessments.record_impression(clinician, analysis, assessments.Named("bcc"))
    thresholds = analysis.model_version.thresholds_for(analysis.clinic_id)[0]
    shown = {"threshold_set": thresholds, "listed": ["mm"]}
    row = assessments.decide(clinician, analysis, "keep", differential=Differential("low", (SCC,)), **shown)
    assert row.impression_id == first.impression_id != row.conclusion_id
    assert (row.conclusion.disease, row.agreement) == ("bcc", agreement.NOT_LISTED)
    again = assessments.decide(clinician, analysis, "keep", differential=Differential("low", (SCC,)), **shown)
    assert again.conclusion_id == row.conclusion_id and again.earlier_decisions == []
    # A form that does not ask for it leaves the impression as it was said.
    other = assessments.decide(clinician, analysis, "keep", seen=assessments.stand(row), **shown)
    assert other.conclusion_id == first.impression_id
    with pytest.raises(assessments.NotAChange):
        named = assessments.Named("bcc", differential=Differential("", (AK,)))
        assessments.decide(clinician, analysis, "change", named=named, **shown)


def test_the_api_takes_and_tells_it(client_for, clinician, analysis):
    client, address = client_for(clinician), f"/api/analyses/{analysis.pk}"
    others = [{"disease": "scc", "confidence": "low"}, {"icd10": "L40.0"}]
    sent = {"disease": "bcc", "differential": {"confidence": "high", "others": others}}
    for wrong in ([{"disease": "bcc"}], [{"text": ""}], [{"disease": "ak"}] * 2, [{"disease": "ak"}] * 5):
        refused = sent | {"differential": {"others": wrong}}
        assert client.post(f"{address}/impression/", refused, "application/json").status_code == 400
    told = client.post(f"{address}/impression/", sent, "application/json").json()["ranked"]
    assert [(one["disease"], one["confidence"]) for one in told] == [
        ("bcc", "high"),
        ("scc", "low"),
        ("", ""),
    ]
    decided = {"decision": "keep", "differential": {"others": []}}
    assert len(client.post(f"{address}/decision/", decided, "application/json").json()["ranked"]) == 1
    newest = client.get(f"/api/diagnoses/?lesion={analysis.photo.lesion_id}").json()["results"]
    assert [len(one["differential"]["others"]) for one in newest] == [0, 2]
