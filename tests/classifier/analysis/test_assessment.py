"""Own impression first, then the answer, then the decision: kept apart, never overwritten."""

import re
from importlib import import_module

import pytest
from django.apps import apps

from classifier.models import Assessment
from classifier.presenters.decisions import choices, told
from classifier.services.analysis import assessments
from classifier.services.analysis.analyses import request_analysis
from classifier.services.analysis.assessments import Conflict, Named
from skinclinic.imaging import Box
from skinclinic.models import Diagnosis, Job, Member
from skinclinic.services.photos import set_box
from tests import factories, results
from tests.skinclinic.pages import url

PANEL = {"HX-Request": "true", "HX-Target": "result-panel"}
# Of the model's answer: a score, the sum, the background, the maps and the report.
SECRETS = (
    "0.410",
    "0.630",
    "All malignant",
    "Not among these 12",
    "/maps",
    "report.pdf",
    "data-choose-heatmap",
)


@pytest.fixture
def clinic(clinic):
    clinic.impression_first = True
    clinic.save()
    return clinic


@pytest.fixture
def answered(photo, clinician, clinic):
    return results.finished(photo, clinician)


@pytest.fixture
def colleague(clinic):
    return factories.make_member(clinic, "clinician", "colin")


def page_of(client, analysis) -> str:
    return client.get(url("photo", analysis.photo_id)).content.decode()


def impress(client, analysis, **data):
    return client.post(url("analysis-impression", analysis.pk), data, headers=PANEL)


def decide(client, analysis, decision, *, seen="", **data):
    data = {"decision": decision, "seen": seen, "thresholds": "balanced", **data}
    return client.post(url("analysis-decision", analysis.pk), data, headers=PANEL)


def stand(analysis, user) -> str:
    return assessments.stand(assessments.of(user, analysis))


def test_nothing_of_the_answer_is_sent_before_the_impression(client_for, answered, clinician):
    page = page_of(client_for(clinician), answered)
    assert "Your own impression first" in page
    assert [secret for secret in SECRETS if secret in page] == []
    assert not Assessment.objects.exists()


def test_the_impression_opens_the_answer_and_both_are_kept(client_for, answered, clinician):
    client = client_for(clinician)
    response = impress(client, answered, choice="mm")
    assert response.status_code == 200 and "0.410" in response.content.decode()
    row = Assessment.objects.get()
    assert (row.impression.disease, row.impression.kind) == ("mm", Diagnosis.Kind.IMPRESSION)
    assert row.impression.lesion == answered.photo.lesion
    assert row.impression.created_at <= row.shown_at
    assert (row.threshold_set.name, row.listed) == ("balanced", ["bcc"])
    assert "0.410" in page_of(client, answered)


def test_another_diagnosis_by_code_by_typed_name_or_in_words(client_for, clinic, clinician):
    forms = [
        ({"disease": "icd10:L40.0"}, ("", "L40.0", "")),
        ({"disease_typed": "Wart"}, ("wart", "B07", "")),
        ({"choice": "", "text": "something I have never seen"}, ("", "", "something I have never seen")),
    ]
    for seed, (data, stored) in enumerate(forms):
        analysis = results.finished(factories.make_photo(clinic, clinician, seed=seed + 10), clinician)
        assert impress(client_for(clinician), analysis, **data).status_code == 200
        diagnosis = Assessment.objects.get(analysis=analysis).impression
        assert (diagnosis.disease, diagnosis.icd10, diagnosis.text) == stored


@pytest.mark.parametrize(
    "data", [{}, {"choice": "nonsense"}, {"disease_typed": "carcinoma"}, {"text": "\x00 "}]
)
def test_an_unclear_impression_is_refused_and_opens_nothing(client_for, answered, clinician, data):
    response = impress(client_for(clinician), answered, **data)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode() and "0.410" not in response.content.decode()
    assert not Diagnosis.objects.exists()


def test_an_error_stands_at_its_field_which_has_the_focus(client_for, answered, clinician, subtests):
    """What is wrong, which element is marked and focused, and that "Not saved" is said."""
    client = client_for(clinician)
    impress(client, answered, choice="ak")
    cases = [
        ({"decision": "change", "disease_typed": "carcinoma"}, "change-term"),
        ({"decision": "change"}, "change-term"),
        ({"decision": "change", "choice": "ak"}, "change-term"),
        ({"decision": "change", "text": "x" * 2001}, "change-text"),
        ({"decision": "change", "disease": "listed:Blue nevus", "text": "x" * 1999}, "change-text"),
        ({"decision": "keep", "comment": "x" * 401}, "decision-comment"),
        ({"decision": ""}, "decide-keep"),
        ({"decision": "agree"}, "decide-keep"),
    ]
    for data, field in cases:
        with subtests.test(str(data)[:60]):
            response = decide(client, answered, **data)
            page = response.content.decode()
            focused = re.findall(r'id="([^"]+)"[^>]*autofocus', page.replace("\n", " "))
            assert (response.status_code, focused) == (422, [field])
            assert 'role="alert"' in page and 'class="save-state" role="status" data-state="error"' in page
    assert not Assessment.objects.get().decision


def test_own_words_are_taken_as_typed(client_for, answered, clinician, subtests):
    client = client_for(clinician)
    impress(client, answered, skip="1")
    cases = [
        ({"disease_typed": "Keratoacanthoma"}, ("", "L85.8", "Keratoacanthoma")),
        ({"disease": "as-typed", "disease_typed": "Keratoacanthoma"}, ("", "", "Keratoacanthoma")),
        ({"disease": "listed:Blue nevus", "text": "of the hand"}, ("", "D22.9", "Blue nevus; of the hand")),
        ({"disease_typed": "Sclerotic fibroma"}, ("", "", "Sclerotic fibroma")),
        ({"disease": "as-typed", "disease_typed": "carcinoma"}, ("", "", "carcinoma")),
        ({"disease_typed": "Spitz  tumour", "text": "of a child"}, ("", "", "Spitz tumour; of a child")),
        ({"text": "basal cell carcinoma"}, ("bcc", "C44.9", "")),
        ({"disease": "as-typed", "disease_typed": "L40.0"}, ("", "L40.0", "")),
    ]
    for data, stored in cases:
        with subtests.test(str(data)):
            seen = stand(answered, clinician)
            assert decide(client, answered, "change", seen=seen, **data).status_code == 200
            kept = Assessment.objects.get().conclusion
            assert (kept.disease, kept.icd10, kept.text) == stored
    offered = client.get(url("diagnosis-terms") + "?icd10=1&q=keratoacanthoma").json()["terms"]
    assert offered[-1]["shown"] == "Use “keratoacanthoma” as typed"
    values = [
        term["value"] for term in client.get(url("diagnosis-terms") + "?icd10=1&q=wart").json()["terms"]
    ]
    assert values[0] == "wart" and "listed:Common wart" in values and "as-typed" not in values
    decide(client, answered, "change", seen=stand(answered, clinician), disease_typed="Keratoacanthoma")
    assert f"case-{answered.photo.lesion_id}" in client.get("/?show=all&q=keratoacanth").content.decode()


# What the model lists, what the person thought, what may be decided, and how the impression stands to the model.
CHOICES = [
    (["bcc", "scc"], {"disease": "ak"}, ["keep", "take", "change"], "not_listed"),
    (["bcc", "scc"], {"disease": "scc"}, ["keep", "take", "change"], "listed"),
    (["bcc", "scc"], {"disease": "bcc"}, ["agree", "change"], "first"),
    (["bcc"], {"text": "keratoacanthoma"}, ["keep", "take", "change"], "outside"),
    (["bcc"], {"text": "BCC, nodular"}, ["keep", "take", "change"], "unclear"),
    (["bcc"], {"icd10": "C44.3"}, ["keep", "take", "change"], "unclear"),
    ([], {"disease": "ak"}, ["keep", "change"], "not_listed"),
    ([], {"text": "keratoacanthoma"}, ["agree", "change"], "none_of_12"),
    (["bcc"], None, ["take", "change", "dismiss"], ""),
    ([], None, ["agree", "change", "dismiss"], ""),
    (None, {"disease": "ak"}, ["keep", "change"], ""),
    (None, None, ["change", "dismiss"], ""),
]


def test_the_choices_and_agreement_follow_what_is_listed(subtests):
    for listed, thought, offered, stands in CHOICES:
        with subtests.test(f"{listed} {thought}"):
            impression = Diagnosis(**thought) if thought else None
            row = Assessment(
                impression=impression, listed=listed or [], threshold_set_id=None if listed is None else 1
            )
            assert [choice.value for choice in choices(row, listed)] == offered
            assert row.impression_agreement == stands
            for decision in offered:
                row.decision, row.conclusion = decision, impression
                if decision in ("keep", "agree") and thought:
                    assert row.agreement == stands
            assert told(row)


def test_the_choices_say_what_the_model_lists():
    row = Assessment(impression=Diagnosis(disease="ak"), listed=["bcc", "scc"], threshold_set_id=1)
    keep, take, other = choices(row, ["bcc", "scc"])
    assert keep.title == "Keep mine: Actinic keratosis"
    assert keep.words == "the model lists Basal cell carcinoma, Squamous cell carcinoma"
    assert (take.title, other.title) == ("Take the model's: Basal cell carcinoma", "Something else")
    listed_second = Assessment(impression=Diagnosis(disease="scc"), listed=["bcc", "scc"], threshold_set_id=1)
    assert (
        choices(listed_second, ["bcc", "scc"])[0].words
        == "the model lists it, but Basal cell carcinoma first"
    )


def test_what_was_called_agreement_is_told_rightly(answered, clinician):
    """The migration: only what the model did list first stays agreement, in the history too."""
    migration = import_module("classifier.migrations.0004_decisions_and_lesions_told_rightly")
    row = assessments.record_impression(clinician, answered, Named(disease="ak"))
    old = {"decision": "agree", "conclusion": row.impression_id, "comment": "", "decided_at": "", "until": ""}
    stored = Assessment.objects.filter(pk=row.pk)
    thresholds = answered.model_version.threshold_sets.get(name="balanced")
    stored.update(
        decision="agree",
        conclusion=row.impression,
        listed=["bcc"],
        threshold_set=thresholds,
        earlier_decisions=[old],
    )
    assert Assessment.objects.get().agreement == "not_listed"  # computed, whatever it calls itself
    migration.tell_decisions_rightly(apps, None)
    kept = Assessment.objects.get()
    assert (kept.decision, kept.earlier_decisions[0]["decision"]) == ("keep", "keep")
    stored.update(decision="agree", listed=["ak"])
    migration.tell_decisions_rightly(apps, None)
    assert (Assessment.objects.get().decision, Assessment.objects.get().agreement) == ("agree", "first")


def test_a_decision_on_an_earlier_analysis_is_told_at_the_new_one(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="ak")
    decide(client, answered, "take", comment="convinced")
    assert Assessment.objects.get().agreement == "first"
    set_box(answered.photo, Box(0, 0, 100))
    newer = results.finished(answered.photo, clinician)
    page = page_of(client, newer)
    assert "Decided on other analyses" in page and "convinced" in page and "decide-keep" in page


def test_without_an_answer_the_own_diagnosis_is_recorded_and_nothing_decided(client_for, photo, clinician):
    waiting = request_analysis(photo, user=clinician, version=results.make_version())
    Job.objects.filter(pk=waiting.job_id).update(state=Job.State.FAILED)
    client = client_for(clinician)
    assert "impression-form" in page_of(client, waiting)
    assert impress(client, waiting, choice="ak").status_code == 200
    refused = decide(client, waiting, "keep")
    assert refused.status_code == 409 and "no answer yet" in refused.content.decode()
    assert (Assessment.objects.get().decision, Assessment.objects.get().impression_agreement) == ("", "")


def test_skipping_is_recorded_and_shows_the_answer(client_for, answered, clinician):
    client = client_for(clinician)
    assert "0.410" in impress(client, answered, skip="1").content.decode()
    row = Assessment.objects.get()
    assert row.skipped_impression and row.impression is None and row.shown_at
    assert impress(client, answered, skip="1").status_code == 200
    late = impress(client, answered, choice="mm")
    assert late.status_code == 409 and "Nothing was overwritten" in late.content.decode()
    assert not Diagnosis.objects.exists()


def test_the_same_impression_twice_is_harmless_and_another_shows_both(client_for, answered, clinician):
    client = client_for(clinician)
    for _double_click in range(2):
        assert impress(client, answered, choice="mm").status_code == 200
    other_tab = impress(client, answered, choice="nevus")
    text = other_tab.content.decode()
    assert other_tab.status_code == 409
    kept, refused = text.index("Kept:"), text.index("Not saved:")
    assert "Malignant melanoma" in text[kept:refused]
    assert "Melanocytic nevus" in text[refused : refused + 300]
    assert [d.disease for d in Diagnosis.objects.all()] == ["mm"]


def test_the_impression_can_be_given_while_the_photo_waits(client_for, photo, clinic, clinician):
    waiting = request_analysis(photo, user=clinician, version=results.make_version())
    client = client_for(clinician)
    assert "Your own impression first" in page_of(client, waiting)
    impress(client, waiting, choice="mm")
    assert Assessment.objects.get().shown_at is None
    results.finish(waiting)
    assert "0.410" in page_of(client, waiting)
    assert Assessment.objects.get().shown_at


def test_agree_keeps_the_impression_as_conclusion(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="bcc")
    assert decide(client, answered, "agree", comment="as thought").status_code == 200
    row = Assessment.objects.get()
    assert (row.decision, row.conclusion, row.comment) == ("agree", row.impression, "as thought")
    assert Diagnosis.objects.count() == 1


def test_agreeing_after_skipping_takes_the_first_listed(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, skip="1")
    decide(client, answered, "agree")
    row = Assessment.objects.get()
    assert row.conclusion.disease == "bcc" and row.impression is None


def test_change_records_the_new_diagnosis_beside_the_impression(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="mm")
    assert decide(client, answered, "change", choice="mm").status_code == 422
    assert decide(client, answered, "change").status_code == 422
    assert decide(client, answered, "perhaps").status_code == 422
    assert decide(client, answered, "change", choice="bcc").status_code == 200
    row = Assessment.objects.get()
    assert (row.impression.disease, row.conclusion.disease, row.decision) == ("mm", "bcc", "change")
    assert (row.agreement, row.impression_agreement) == ("first", "not_listed")
    assert told(row) == "The model's taken: Basal cell carcinoma (the model lists it first)"


def test_dismiss_lets_the_impression_stand(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="nevus")
    decide(client, answered, "dismiss")
    row = Assessment.objects.get()
    assert (row.decision, row.conclusion) == ("dismiss", row.impression)


def test_undo_and_deciding_again_keep_the_history(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="mm")
    decide(client, answered, "change", choice="bcc", comment="first")
    undone = decide(client, answered, "undo", seen=stand(answered, clinician))
    assert "1 earlier decision" in undone.content.decode()
    row = Assessment.objects.get()
    assert (row.decision, row.decided_at, row.conclusion) == ("", None, None)
    assert [entry["comment"] for entry in row.earlier_decisions] == ["first"]
    assert Diagnosis.objects.get(disease="bcc").withdrawn_at
    assert Diagnosis.objects.get(disease="mm").withdrawn_at is None

    decide(client, answered, "dismiss", seen=stand(answered, clinician))
    decide(client, answered, "keep", seen=stand(answered, clinician))
    row.refresh_from_db()
    assert [entry["decision"] for entry in row.earlier_decisions] == ["change", "dismiss"]
    assert row.decision == "keep"


def test_a_decision_from_a_stale_tab_shows_both(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="mm")
    decide(client, answered, "keep")
    assert decide(client, answered, "keep").status_code == 200  # a double click
    stale = decide(client, answered, "dismiss", comment="from the other tab")
    text = stale.content.decode()
    assert stale.status_code == 409
    assert (
        "Own diagnosis kept" in text[text.index("Kept:") :]
        and "from the other tab" in text[text.index("Not saved:") :]
    )
    row = Assessment.objects.get()
    assert (row.decision, row.earlier_decisions) == ("keep", [])


def test_no_decision_before_the_impression(client_for, answered, clinician):
    response = decide(client_for(clinician), answered, "agree")
    assert response.status_code == 409 and "0.410" not in response.content.decode()
    assert not Assessment.objects.exists()


def test_everyone_has_their_own_and_sees_colleagues_after_deciding(
    client_for, answered, clinician, colleague, coordinator
):
    first, second = client_for(clinician), client_for(colleague)
    impress(first, answered, choice="mm")
    decide(first, answered, "dismiss", comment="clearly pigmented")
    assert "clearly pigmented" not in page_of(second, answered)
    shown = impress(second, answered, choice="nevus").content.decode()
    assert "clearly pigmented" not in shown and "shown once you have decided" in shown
    decided = decide(second, answered, "dismiss").content.decode()
    assert "clearly pigmented" in decided and "Clara" in decided
    assert "clearly pigmented" in page_of(client_for(coordinator), answered)
    assert Assessment.objects.count() == 2


def test_who_may_record(client_for, answered, clinician, coordinator, outsider):
    for name, data in (
        ("analysis-impression", {"choice": "mm"}),
        ("analysis-decision", {"decision": "agree"}),
    ):
        address = url(name, answered.pk)
        assert client_for(coordinator).post(address, data).status_code == 403
        assert client_for(outsider).post(address, data).status_code == 404
        assert client_for(clinician).post(url(name, 987654321), data).status_code == 404
        assert client_for(clinician).get(address).status_code == 405
    assert "0.410" in page_of(client_for(coordinator), answered)
    assert not Assessment.objects.exists()


def test_where_no_impression_is_asked_for_it_is_offered(client_for, clinic, answered, clinician):
    clinic.impression_first = False
    clinic.save()
    client = client_for(clinician)
    page = page_of(client, answered)
    assert "0.410" in page and "Record your own impression" in page
    assert "after the answer was shown" in impress(client, answered, choice="mm").content.decode()


def test_an_impression_of_the_photo_opens_its_other_crops_too(client_for, answered, clinician):
    client = client_for(clinician)
    impress(client, answered, choice="mm")
    set_box(answered.photo, Box(0, 0, 100))
    newer = results.finished(answered.photo, clinician)
    assert "0.410" in page_of(client, newer)
    assert Assessment.objects.get(analysis=newer).impression.disease == "mm"


def test_without_scripts_the_forms_lead_back_to_the_page(client_for, answered, clinician):
    client = client_for(clinician)
    response = client.post(url("analysis-impression", answered.pk), {"choice": "mm"})
    assert (response.status_code, response["Location"]) == (302, url("photo", answered.photo_id))
    refused = client.post(url("analysis-decision", answered.pk), {"decision": "perhaps"})
    assert refused.status_code == 422 and "<html" in refused.content.decode()


def test_hidden_photos_take_one_query_whatever_their_number(
    clinic, clinician, coordinator, django_assert_num_queries
):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in range(5)]
    seen, recorded, *hidden = (results.finished(photo, clinician) for photo in photos)
    assessments.record_impression(clinician, seen, None)
    assessments.record_impression(clinician, recorded, Named(disease="mm"))
    member = Member.objects.select_related("clinic").get(user=clinician)
    with django_assert_num_queries(1):
        assert assessments.hidden_photo_ids(clinician, member, photos) == {row.photo_id for row in hidden}
    reader = Member.objects.select_related("clinic").get(user=coordinator)
    with django_assert_num_queries(0):
        assert assessments.hidden_photo_ids(coordinator, reader, photos) == set()
    assert assessments.may_see_answer(clinician, member, seen)
    assert not assessments.may_see_answer(clinician, member, hidden[0])


def test_of_two_impressions_at_the_same_moment_one_is_kept(answered, clinician, monkeypatch):
    """The second passes the first look, and is stopped by the conditional write."""
    real = assessments._open_row

    def overtaken(user, analysis):
        row = real(user, analysis)
        Assessment.objects.filter(pk=row.pk).update(skipped_impression=True)
        return row

    monkeypatch.setattr(assessments, "_open_row", overtaken)
    with pytest.raises(Conflict):
        assessments.record_impression(clinician, answered, Named(disease="mm"))
    assert not Diagnosis.objects.exists()
