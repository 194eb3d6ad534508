"""Thresholds that cover the truth: made from an evaluation's patients, told in words, held against other patients."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.metrics import conformal, roc
from classifier.metrics.listing import is_listed
from classifier.metrics.proportions import proportion
from classifier.models import ThresholdSet
from classifier.presenters import following
from classifier.presenters.result import threshold_facts
from classifier.services.evaluation import looking, units
from classifier.services.evaluation.kept import scores as kept_scores
from classifier.services.evaluation.report import Report
from classifier.services.following import due as following_due
from classifier.services.following import records as records_of_model
from classifier.services.following import rules
from classifier.services.models import promises, realised, registry, threshold_sets
from skinclinic.archive.models import DatasetItem, Entry
from skinclinic.archive.services.datasets import large
from skinclinic.engine import jobs
from skinclinic.models import Job, Lesion
from skinclinic.services import records
from skinclinic.services.binning import bin
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, factories, followed, results
from tests.cases import each
from tests.classifier.evaluation.test_evaluation_pages import text_of
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db

LABELS = ["bcc", "bcc", "bcc", "sk", "sk", "sk", "mm", "nevus"]


def another_photo(entry, user, seed: int, label: str = ""):
    photo = factories.make_photo(entry.clinic, user, seed=seed, lesion=entry.photo.lesion)
    return factories.make_entry(
        photo, user, label=label or entry.label, review="accepted", is_proven=True, source=entry.source
    )


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        entries = evaluated.make_entries(clinic, curator, LABELS)
        entries += [another_photo(entries[0], curator, 2000), another_photo(entries[3], curator, 2001)]
        # Of nobody known: the lesion stands for the patient.
        lost = evaluated.make_entries(clinic, curator, ["bcc"], first=40)[0]
        for one in (lost, lost.photo.lesion):
            one.patient = None
            one.save()
        entries += [lost, another_photo(lost, curator, 2002)]
        made_from = evaluated.freeze(clinic, curator, entries)
        # The other cohort has one patient of the first, with another photo.
        others = evaluated.make_entries(clinic, curator, [*LABELS, "scc"], first=70, source="Busan")
        again = another_photo(entries[1], curator, 2003)
        other = evaluated.freeze(clinic, curator, [*others, again], "Busan")
        model = evaluated.make_model(clinic, home, "one", photos=[])
        evaluated.score(model, [*entries, *others, again], strength=2.5)
        row = evaluated.evaluated(clinic, curator, [model], [made_from, other])
        standing.keep(
            clinic=clinic, curator=curator, made_from=made_from, other=other, model=model, row=row, again=again,
            lost=lost, first=entries[0],
        )  # fmt: skip


@pytest.fixture
def world(stock, given):
    return given


def make(world, user, wanted: float = 0.75, name: str = "Covers") -> ThresholdSet:
    return threshold_sets.make(
        world["row"],
        world["model"],
        world["made_from"].pk,
        name=name,
        rule="coverage",
        wanted=wanted,
        user=user,
    )


def test_it_promises_for_patients_by_their_worst_photo(world, admin_user):
    made = make(world, admin_user)
    kept, said = (
        Report(world["row"]).scores(world["made_from"].pk, world["model"].pk),
        made.details["coverage"],
    )
    persons = dict(DatasetItem.objects.filter(version=world["made_from"]).values_list("pk", "person"))
    lost = set(DatasetItem.objects.filter(entry=world["lost"]).values_list("lesion", flat=True))
    (lost_lesion,) = lost
    for place, key in enumerate(DISEASE_KEYS):
        lowest: dict[str, float] = {}
        for item, score in zip(kept["items"], kept["scores"][:, place], strict=True):
            if kept["truth"][list(kept["items"]).index(item)] == key:
                unit = persons[int(item)] or lost_lesion
                lowest[unit] = min(score, lowest.get(unit, 2))
        found = said["diseases"][key]
        assert found["units"] == len(lowest) == {"bcc": 4, "sk": 3, "mm": 1, "nevus": 1}.get(key, 0)
        if found["units"] < 3:
            assert "rank" not in found and found["instead"] == "balanced" and made.values[key] == 0.1
            assert made.details["basis"][key].startswith(f"nothing promised: {len(lowest)} of the 3 needed")
            continue
        # ⌈4 · 0.75⌉ of 3 and ⌈5 · 0.75⌉ of 4: all of them.
        assert found["rank"] == found["units"]
        assert is_listed(min(lowest.values()), made.values[key])
        assert not is_listed(np.nextafter(min(lowest.values()), 0), made.values[key])
    assert (said["unit"], said["unknown"], said["least"], said["doubt"]) == ("patient", 1, 3, False)
    assert made.purpose == "Covers the truth in at least 75 % of patients like these"
    assert (made.details["optimistic"], made.details["wanted"]) == (False, 0.75)


def test_photos_of_erased_patients_are_no_units_and_that_is_said(world, admin_user):
    item = DatasetItem.objects.get(version=world["made_from"], entry=world["first"])
    DatasetItem.objects.filter(pk=item.pk).update(
        content_sha256=DatasetItem.WITHDRAWN + "1", person="", lesion=""
    )
    large.fall_behind(DatasetItem.objects.filter(pk=item.pk))
    said = make(world, admin_user).details["coverage"]
    # Their other photo is still there.
    assert (said["left_out"], said["diseases"]["bcc"]["photos"]) == (1, 5)
    assert any("1 photo was left out" in text for text in promises.promise({"coverage": said}).rests_on)


@each("how", ["deleted", "refused"])
def test_photos_that_may_be_used_no_more_are_no_units_and_that_is_said(world, admin_user, how):
    entry = world["first"]
    if how == "deleted":
        bin.put(entry.photo, admin_user, reason="mistake")
    else:
        records.change(entry.patient, {"research_consent": "refused"}, admin_user)
    said = make(world, admin_user).details["coverage"]
    # Of the patient there are two photos.
    left_out, bcc = (1, 4) if how == "deleted" else (2, 3)
    assert (said["left_out"], said["diseases"]["bcc"]["units"]) == (left_out, bcc)


def test_the_promise_is_for_what_its_diseases_are_counted_in(world):
    photos = units.read(Report(world["row"]), world["made_from"].pk, world["model"].pk)
    is_bcc = photos.truth == "bcc"
    # One patient of another disease beside photos of nobody known.
    other = replace(
        photos,
        truth=np.where(is_bcc, "bcc", "background:Rosacea"),
        kinds=np.where(is_bcc, units.PHOTO, units.PATIENT),
    )
    large.changed(world["made_from"])
    found = kept_scores.of(Report(world["row"]), world["made_from"].pk, world["model"].pk, lambda: other)
    assert found.units == {"patient": 0, "lesion": 0, "photo": 4}


def test_without_a_set_of_the_model_the_unpromised_are_always_listed(world, admin_user):
    world["model"].threshold_sets.all().delete()
    made = make(world, admin_user)
    assert made.values["mm"] == conformal.ALWAYS_LISTED and is_listed(0.0, made.values["mm"])
    assert made.details["coverage"]["diseases"]["mm"]["instead"] == ""
    found = promises.promise(made.details)
    assert ("mm", "1 patient") in [(one.key, one.units) for one in found.unpromised]
    assert "these are always listed." in found.nothing


@each("covered", ["", "49", "100", "99.99999999", "nan", "x", "95"])
def test_what_cannot_be_promised_is_refused_with_what_to_do(world, admin_user, client_for, covered):
    ask = {"model": world["model"].pk, "dataset": world["made_from"].pk, "name": "New", "rule": "coverage"}
    answer = client_for(admin_user).post(
        url("evaluation-thresholds", world["row"].pk), ask | {"covered": covered, "wanted": "90"}
    )
    said = messages_of(answer)
    if covered == "95":
        assert "a disease needs 19 patients" in said and "at most 4 here" in said
    else:
        assert "from 50 to less than 100 %" in said
    assert not ThresholdSet.objects.filter(name="New").exists()


def test_pages_look_through_the_photos_once_until_they_change(world, admin_user, client_for, monkeypatch):
    made, read = make(world, admin_user), []
    look = units.read
    monkeypatch.setattr(units, "read", lambda *of: read.append(of[1]) or look(*of))
    client, other = client_for(admin_user), world["other"]
    asked = {"dataset": other.pk, "model": world["model"].pk}
    pages = [text_of(client.get(url("evaluation", world["row"].pk), asked)) for _time in range(2)]
    assert pages[0] == pages[1] and "a disease needs 19 patients" in pages[0] and "Covered here" in pages[0]
    first = realised.everywhere(made, world["clinic"])
    assert read == [other.pk] and first == realised.everywhere(made, world["clinic"])
    large.fall_behind(DatasetItem.objects.filter(version=other))
    client.get(url("evaluation", world["row"].pk), asked)
    assert read == [other.pk] * 2


def forget(row) -> None:
    """As of an evaluation from before anything was kept beside it."""
    for pattern in ("coverage-*.json", "scores-*.npy"):
        for path in row.folder.glob(pattern):
            path.unlink()


def test_of_many_photos_a_job_looks_through_them_and_no_page(world, admin_user, client_for, monkeypatch):
    few = make(world, admin_user, name="Of few")
    monkeypatch.setattr(large, "MOST_AT_ONCE", 5)
    row, client = world["row"], client_for(admin_user)
    asked = {"dataset": world["other"].pk, "model": world["model"].pk}
    form = asked | {
        "dataset": world["made_from"].pk, "name": "Of many", "rule": "coverage", "covered": "75", "wanted": "95",
    }  # fmt: skip
    forget(row)
    read, scores = [], Report.scores
    monkeypatch.setattr(Report, "scores", lambda *of: read.append(of[1]) or scores(*of))
    for page in (url("evaluation", row.pk), url("threshold-set", few.pk)):
        assert "The photos of an evaluation are being looked through" in text_of(client.get(page, asked))
    assert "in a minute" in messages_of(client.post(url("evaluation-thresholds", row.pk), form))
    assert not ThresholdSet.objects.filter(name="Of many").exists() and not read
    jobs.run_waiting(looking.JOB)
    first = len(read)
    assert set(read) == {world["made_from"].pk, world["other"].pk}
    assert "Of few" in text_of(client.get(url("evaluation", row.pk), asked))
    client.post(url("evaluation-thresholds", row.pk), form)
    made = ThresholdSet.objects.get(name="Of many")
    assert made.values == few.values and made.details["coverage"] == few.details["coverage"]
    assert len(read) == first
    # What came of the new one a job was asked for when it was made.
    jobs.run_waiting(looking.JOB)
    looked = len(read)
    assert "Mean length of the list" in text_of(client.get(url("threshold-set", made.pk)))
    assert len(read) == looked > first
    forget(row)
    Job.objects.filter(kind=looking.JOB).update(state=Job.State.FAILED)
    assert "could not be looked through" in text_of(client.get(url("evaluation", row.pk), asked))
    assert "could not be looked through" in messages_of(
        client.post(url("evaluation-thresholds", row.pk), form | {"name": "Again"})
    )


def test_a_threshold_is_read_off_the_scores_in_order_as_off_the_whole_curve():
    random = np.random.default_rng(7)
    for n in (2, 3, 10, 57, 200):
        # With many ties, and shares that no float is.
        scores, truth = np.round(random.random(n), 2), random.random(n) < 0.4
        truth[:2] = True, False
        curve = roc.roc(scores, truth)
        found = kept_scores.OfDisease(0.5, 0, kept_scores._below(curve), np.empty(0))
        assert found.positives == curve.positives
        for wanted in (
            *np.linspace(0.5, 0.999, 60),
            *(k / curve.positives for k in range(1, curve.positives)),
        ):
            point = roc.most_specific(curve, least_sensitivity=float(wanted))
            assert found.most_specific(float(wanted)) == point.threshold, (n, wanted)


def test_the_form_makes_them_and_says_of_which_diseases_there_are_enough(world, admin_user, client_for):
    client = client_for(admin_user)
    asked = {"dataset": world["made_from"].pk, "model": world["model"].pk}
    assert "a disease needs 19 patients" in text_of(client.get(url("evaluation", world["row"].pk), asked))
    answer = client.post(
        url("evaluation-thresholds", world["row"].pk),
        asked | {"name": "Covers", "rule": "coverage", "covered": "80", "wanted": "95"},
    )
    assert answer["Location"] == url("model", world["model"].pk)
    assert ThresholdSet.objects.get(name="Covers").details["coverage"]["share"] == 0.8


def test_other_patients_are_held_against_the_promise_without_those_it_was_made_from(world, admin_user):
    made = make(world, admin_user)
    own, found = sorted(realised.everywhere(made, world["clinic"]).found, key=lambda one: not one.is_own)
    assert own.is_own and own.whole is None
    # The photo of a patient of the calibration is not the calibration's own photo.
    assert (found.photos, found.left_out, found.gone, found.is_known) == (9, 1, 0, True)
    kept = Report(world["row"]).scores(world["other"].pk, world["model"].pk)
    again = DatasetItem.objects.get(version=world["other"], entry=world["again"]).pk
    stays = kept["items"] != again
    limits = np.array([made.values[key] for key in DISEASE_KEYS])
    listed, truth = is_listed(kept["scores"], limits)[stays], kept["truth"][stays]
    assert found.mean_length == listed.sum(1).mean()
    for one in found.diseases:
        right = listed[truth == one.key, DISEASE_KEYS.index(one.key)]
        assert (one.share.count, one.share.of) == (right.sum(), len(right))
        assert one.is_promised == (one.key in ("bcc", "sk"))
    promised = [one.share for one in found.diseases if one.is_promised]
    assert found.whole.count == sum(one.count for one in promised) and found.whole.of == 6
    groups = dict(found.groups)
    assert {group.name: (group.units, group.share) for group in groups["Source"]} == {"Busan": (6, None)}


def test_alarms_are_held_against_patients_that_the_thresholds_were_not_chosen_on(
    world, admin_user, monkeypatch
):
    monkeypatch.setattr(rules, "LEAST_CASES", 1)
    other, made = world["other"], make(world, admin_user)

    def held_against() -> dict[str, tuple[int, str]]:
        found = rules.from_evaluation(world["model"], world["clinic"], made)
        return {name: (one.of, one.said) for name, one in found.items()}

    # Of Busan's, without the patient whose other photo the thresholds were made from: 3 bcc, mm and scc; sk and nevus.
    assert held_against() == {"sensitivity": (5, "First, Busan v1"), "specificity": (4, "First, Busan v1")}
    # Nobody can tell whose photos they were made from.
    made.details = made.details | {"dataset_sha256": "0" * 64}
    assert held_against() == {}
    made.details = made.details | {"dataset_sha256": other.sha256}
    assert {said for _of, said in held_against().values()} == {"First, Test set v1"}


def test_after_publishing_patients_that_thresholds_were_made_from_prove_nothing_of_them(
    world, admin_user, client_for
):
    clinic, model = world["clinic"], world["model"]
    registry._publish(model, clinic=clinic, user=None, reason="")
    made = make(world, admin_user)
    ThresholdSet.objects.filter(pk=made.pk).update(values=dict.fromkeys(DISEASE_KEYS, 0.1))
    made.refresh_from_db()
    row = records_of_model.state(clinic, model, made, rules.usual(model, clinic, made), admin_user, "now")
    entries = Entry.objects.filter(pk__in=world["made_from"].items.values("entry"))
    used = {entry.photo.lesion: entry.label for entry in entries.select_related("photo__lesion")}
    Lesion.objects.filter(pk__in=[lesion.pk for lesion in used]).update(is_archived=False)
    for lesion, label in used.items():
        followed.proven(clinic, model, label, lists=(label,), lesion=lesion)
    # Another lesion of one of them, and of patients whom the thresholds have not seen.
    followed.proven(clinic, model, "bcc", lists=("bcc",), patient=world["first"].patient)
    for n in range(12):
        followed.proven(clinic, model, "bcc", lists=("bcc",) if n else ())

    def told() -> tuple[dict, str]:
        following_due.run(row)
        row.refresh_from_db()
        (of_set,) = row.figures["promises"]
        return of_set, text_of(client_for(admin_user).get(url("monitor", row.pk)))

    of_set, page = told()
    assert len(used) == 9 and (of_set["covered"], of_set["periods"]) == ([11, 12], [[11, 12]])
    assert (of_set["left_out"], of_set["is_known"]) == (8, True), "bcc and sk, of which something is promised"
    assert [one["covered"] for one in of_set["diseases"]] == [[11, 12]]
    assert "8 proven lesions were left out: they are of patients or lesions that the thresholds" in page
    assert row.evidence[rules.COVERAGE]["cases"] == 12
    # Of the shares of what was shown they are part; that these are optimistic is said.
    assert row.figures["proven"]["chosen_on"] == {"lesions": 10, "is_known": True}
    assert "were chosen on 10 of the 22 proven lesions" in page
    assert "could not be checked" not in page
    notes = [following.figure(row, kind).note for kind in ("covered", "rates")]
    assert "8 proven lesions were left out" in notes[0] and "on 10 of the 22 proven lesions" in notes[1]
    youden = threshold_sets.make(
        world["row"], model, world["made_from"].pk, name="Best", rule="youden", wanted=None, user=admin_user
    )
    other = records_of_model.state(clinic, model, youden, rules.Rule(), admin_user, "by others")
    following_due.run(other)
    other.refresh_from_db()
    assert following.chosen_on(other).startswith("“Best”: these thresholds were chosen on 10 of the 22")
    unknown = made.details | {"dataset_sha256": "0" * 64}
    ThresholdSet.objects.filter(pk=made.pk).update(details=unknown)
    row.refresh_from_db()
    of_set, page = told()
    assert (of_set["covered"], of_set["left_out"], of_set["is_known"]) == ([18, 19], 0, False)
    assert "Whether patients it was made from are among them could not be checked." in page
    assert "whether these thresholds were chosen on patients counted here could not be checked" in page


def test_what_few_units_of_a_calibration_may_cover_is_not_less_than_promised():
    said = {"share": 0.95, "diseases": {"bcc": {"units": 20, "rank": 20}, "sk": {"units": 400, "rank": 381}}}
    made = ThresholdSet(details={"coverage": said})

    def is_below(**covered) -> bool:
        shares = {key: proportion(*counts) for key, counts in covered.items()}
        whole = np.sum(list(covered.values()), axis=0)
        return realised.is_below(made, proportion(*whole), shares)

    # Of calibrations of 20 patients every fifth covers no more than this.
    assert proportion(276, 300).high < 0.95 and not is_below(bcc=(276, 300))
    assert is_below(bcc=(230, 300)) and is_below(sk=(270, 300)) and not is_below(sk=(280, 300))
    assert not is_below(bcc=(18, 20), sk=(270, 290)) and is_below(bcc=(18, 20), sk=(255, 290))
    assert not is_below(bcc=(0, 0))


def test_a_patient_is_covered_only_with_all_their_photos(world, admin_user):
    photos = units.read(Report(world["row"]), world["made_from"].pk, world["model"].pk)
    place = DISEASE_KEYS.index("sk")
    of_it = photos.truth == "sk"
    scores, names = photos.scores[of_it, place], photos.units[of_it]
    twice = next(name for name in names if (names == name).sum() == 2)
    low, high = sorted(scores[names == twice])
    alone = conformal.covered(scores[names == twice], names[names == twice], (low + high) / 2)
    assert (alone.count, alone.of) == (0, 1)


def test_where_its_photos_are_unknown_nothing_is_left_out_and_that_is_said(world, admin_user, client_for):
    made = make(world, admin_user)
    ThresholdSet.objects.filter(pk=made.pk).update(details=made.details | {"dataset_sha256": "0" * 64})
    text = text_of(client_for(admin_user).get(url("threshold-set", made.pk)))
    assert text.count("Whether patients it was made from are among them could not be checked.") == 2


def test_pages_tell_the_promise_what_it_is_not_and_what_came_of_it(world, admin_user, clinician, client_for):
    made = make(world, admin_user)
    photo = factories.make_photo(world["clinic"], clinician, seed=5)
    results.finished(photo, clinician, version=world["model"])
    client = client_for(clinician)
    text = text_of(client.get(url("photo", photo.pk), {"thresholds": "Covers"}))
    for told in (
        "Covers the truth in at least 75 % of patients like these",
        "When a new patient, like those of Test set v1, has a disease of which something is promised, it is listed",
        "Nothing is promised of",
        "Malignant melanoma (1 patient)",
        "3 patients a disease are needed; these are listed by the thresholds “balanced”.",
        "nothing promised: 1 patient",
        "Of 1 lesion or photo the patient is not known",
        "It does not hold for patients unlike these",
        "arXiv 2506.18162",
        "Made from Test set v1",
    ):
        assert told in text
    assert "optimistic" not in text
    page = text_of(client.get(url("threshold-set", made.pk)))
    assert "1 photo was left out: it is of a patient or lesion that the thresholds were made from." in page
    assert (
        "Made from these photos, which therefore prove nothing of it." in page
        and "too few: 6 patients" in page
    )
    other = {"dataset": world["other"].pk, "model": world["model"].pk}
    assert "without 1 photo of the patients it was made from" in text_of(
        client.get(url("evaluation", world["row"].pk), other)
    )
    assert (
        client.get(url("analysis-report", photo.analyses.get().pk), {"thresholds": "Covers"}).status_code
        == 200
    )
    # Nothing is promised of scores that were computed otherwise than those it was counted on.
    coarse = "This answer was computed in bfloat16 (bf16), whose scores differ a little; of it nothing is promised."
    assert coarse not in text
    photo.analyses.update(precision="bf16")
    assert coarse in text_of(client.get(url("photo", photo.pk), {"thresholds": "Covers"}))
    # It is of photos like the training photos and unlike them together.
    unlike = "What is promised is of all photos together; of such as this one fewer may be covered."
    for distance, is_said in ((None, False), (1.0, False), (1.01, True)):
        photo.analyses.update(unlike=distance)
        for name in ("Covers", "balanced"):
            shown = text_of(client.get(url("photo", photo.pk), {"thresholds": name}))
            assert (unlike in shown) == (is_said and name == "Covers")
    korean = client.get(url("photo", photo.pk), {"thresholds": "Covers"}, headers={"accept-language": "ko"})
    assert "이와 같은 환자의 75 % 이상에서 실제 진단을 포함" in korean.content.decode()


def test_a_later_evaluation_draws_and_counts_with_such_thresholds(world, admin_user, client_for):
    world["model"].threshold_sets.all().delete()
    make(world, admin_user)
    row = evaluated.evaluated(
        world["clinic"], world["curator"], [world["model"]], [world["other"]], name="Later"
    )
    report = Report(row)
    assert (
        report.figures_of(world["other"].pk, world["model"].pk)["listings"]["Covers"]["empty"]["count"] == 0
    )
    # One of its patients is one that the thresholds were made from.
    assert report.disease(world["other"].pk, world["model"].pk, "sk")["given"]["Covers"]["optimistic"] is True
    for kind in ("thresholds", "thresholds-log"):
        assert report.figure(kind, world["other"].pk, world["model"].pk, "bcc").drawing
    assert client_for(admin_user).get(url("evaluation", row.pk)).status_code == 200


def test_another_clinics_set_is_at_no_address(world, admin_user, outsider, client_for):
    made = make(world, admin_user)
    assert client_for(outsider).get(url("threshold-set", made.pk)).status_code == 404


@each(
    "unit, word", [("patient", "patient"), ("lesion", "lesions are counted"), ("photo", "photos are counted")]
)
def test_what_is_counted_is_said(unit, word):
    kept = {
        "share": 0.95, "unit": unit, "unknown": 0, "left_out": 0, "least": 19, "doubt": True, "synthetic": ["Made"],
        "diseases": {"bcc": {"units": 40, "photos": 41, "rank": 39, "expected": 39 / 41, "low": 0.887, "high": 0.99}},
    }  # fmt: skip
    found = promises.promise({"coverage": kept, "dataset": "Busan v1"})
    assert any(word in text for text in found.rests_on) and "Busan v1" in found.text and "95 %" in found.text
    assert found.promised[0].span == "89–99 %" and len(found.warnings) == 2
    assert promises.promise({}) is None
    # Of a set that came with a model, which no evaluation here has made.
    assert threshold_facts(ThresholdSet(name="theirs", details={"coverage": {"share": 0.95}})).promise is None


def test_refusals_name_the_least_number(world, admin_user):
    with pytest.raises(Refused, match="needs 99 patients with it, and there are at most 4"):
        make(world, admin_user, 0.99)
