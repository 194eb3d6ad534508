"""Proven photos that look alike to the model: which are found, for whom, and that nothing stale is."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classifier.analysing import nearest
from classifier.models import Analysis, PhotoFeatures
from classifier.services.analysis import batch_analyses, features
from classifier.services.models import registry
from classifier.services.similar import bank, making, neighbours
from skinclinic.archive.models import Entry
from skinclinic.engine import jobs
from skinclinic.imaging import Box
from skinclinic.models import Lesion, Patient, Photo
from skinclinic.services import photos
from tests import evaluated, factories, results
from tests.skinclinic.pages import audited, url

pytestmark = pytest.mark.django_db

# By their cosine to QUERY from near to far.
QUERY, NEAR, NEXT, FAR = (4, 3, 0, 0), (4, 3, 1, 0), (4, 3, 4, 0), (0, 0, 1, 5)


@pytest.fixture(autouse=True)
def own_banks(monkeypatch):
    monkeypatch.setattr(bank, "_banks", type(bank._banks)())


@pytest.fixture
def model(db):
    return results.make_version()


@pytest.fixture
def lively(db, lite_dir):
    """A model whose features are not all 0."""
    return registry.register(lite_dir)


@pytest.fixture
def asked(clinic, clinician, model):
    """A clinician's analysis of a patient's photo."""
    patient = factories.make_patient(clinic, "P-1")
    lesion = Lesion.objects.create(clinic=clinic, patient=patient)
    photo = factories.make_photo(clinic, clinician, seed=1, lesion=lesion)
    return results.finished(photo, clinician, version=model, features=QUERY)


def have_features(entry: Entry, model, values) -> None:
    box = entry.photo.box
    row = Analysis(
        clinic_id=entry.clinic_id,
        photo=entry.photo,
        model_version=model,
        box_x=box.x,
        box_y=box.y,
        box_size=box.size,
    )
    features.keep([(row, np.array(values, np.float16))])


@pytest.fixture
def archive(clinic, curator, model) -> list[Entry]:
    """Three proven photos of three patients, the nearest first."""
    entries = evaluated.make_entries(clinic, curator, ["bcc", "mm", "sk"])
    for entry, values in zip(entries, (NEAR, NEXT, FAR), strict=True):
        have_features(entry, model, values)
    return entries


def found(row) -> list[int]:
    return [one.entry.pk for one in neighbours.of_analysis(row).neighbours]


def keys(entries) -> list[int]:
    return [entry.pk for entry in entries]


def test_the_nearest_proven_photos_come_first_with_their_likeness(asked, archive):
    told = neighbours.of_analysis(asked)
    assert [one.entry.pk for one in told.neighbours] == keys(archive)
    expected = [np.dot(QUERY, v) / np.linalg.norm(QUERY) / np.linalg.norm(v) for v in (NEAR, NEXT, FAR)]
    assert [one.likeness for one in told.neighbours] == pytest.approx(expected, abs=1e-3)
    assert (told.state, told.compared, told.lacking, told.own) == ("found", 3, 0, 0)


def test_what_changes_anywhere_is_seen_by_the_next_search(asked, archive, curator, model):
    """Each step changes rows as another process would, without a word to this one."""
    assert found(asked) == keys(archive)
    near, middle, far = archive
    Entry.objects.filter(pk=near.pk).update(is_proven=False)
    assert found(asked) == keys([middle, far])
    Entry.objects.filter(pk=near.pk).update(is_proven=True)
    Entry.objects.filter(pk=middle.pk).update(review="rejected")
    assert found(asked) == keys([near, far])
    assert neighbours.of_analysis(asked).compared == 2
    Patient.objects.filter(pk=far.patient_id).update(research_consent="refused")
    assert found(asked) == keys([near])
    assert neighbours.of_analysis(asked).compared == 1, "nobody looks through photos of a patient who refused"
    Patient.objects.filter(pk=far.patient_id).update(research_consent="given")
    (new,) = evaluated.make_entries(asked.clinic, curator, ["ak"], first=50)
    assert found(asked) == keys([near, far]), "the model has not looked at it"
    assert neighbours.of_analysis(asked).lacking == 1
    Patient.objects.filter(pk=new.patient_id).update(research_consent="refused")
    assert neighbours.of_analysis(asked).lacking == 0, "nobody may have the model look at it"
    Patient.objects.filter(pk=new.patient_id).update(research_consent="given")
    have_features(new, model, QUERY)
    assert found(asked) == keys([new, near, far])
    Patient.objects.filter(entries__in=keys([new, near, far])).update(research_consent="refused")
    none = neighbours.of_analysis(asked)
    assert (none.state, none.compared, none.neighbours) == ("found", 0, []), "there are proven photos"
    Patient.objects.filter(entries__in=keys([new, near, far])).update(research_consent="given")
    near.photo.delete()
    assert found(asked) == keys([new, far])


def test_many_that_may_not_be_shown_do_not_hide_the_one_that_may(asked, archive, model, curator):
    """They are nearer, and more than are asked about at once."""
    count = neighbours._ASKED_AT_ONCE + 6
    nearer = evaluated.make_entries(asked.clinic, curator, ["ak"] * count, first=100)
    for entry in nearer:
        have_features(entry, model, QUERY)
    assert set(found(asked)) < set(keys(nearer))
    Patient.objects.filter(entries__in=keys(nearer)).update(research_consent="refused")
    assert found(asked) == keys(archive)


def test_a_search_reads_by_keys_and_never_all_proven_photos(asked, archive):
    """SQLite with statistics of its tables went through all of them for each part of a search."""
    found(asked)
    with CaptureQueriesContext(connection) as said:
        found(asked)
    looks = [one["sql"] for one in said.captured_queries if 'classifier_photofeatures"."id" IN' in one["sql"]]
    assert len(looks) == 2 and not any("SELECT" in sql[6:] for sql in looks), looks


def test_features_of_another_square_than_the_current_do_not_count(asked, archive, model):
    near = archive[0]
    photos.set_box(near.photo, Box(0, 0, 100))
    assert found(asked) == keys(archive[1:])
    have_features(near, model, FAR)
    assert found(asked)[0] == archive[1].pk
    photos.set_box(near.photo, Box(0, 0, 120))
    have_features(near, model, QUERY)
    assert found(asked)[0] == near.pk
    photos.set_box(near.photo, Box(0, 0, 100))
    assert found(asked)[0] == archive[1].pk, "back at a square that was looked at before"


def test_a_key_that_commits_late_is_found(asked, archive, model, curator, monkeypatch):
    """Whoever took a lower key may commit after a search has seen higher ones; whatever this process's clock shows."""
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=2))
    (late,) = evaluated.make_entries(asked.clinic, curator, ["ak"], first=60)
    assert len(found(asked)) == 3
    highest = PhotoFeatures.objects.latest("id").pk
    have_features(late, model, QUERY)
    PhotoFeatures.objects.filter(photo=late.photo).update(id=highest + 100)
    other = evaluated.make_entries(asked.clinic, curator, ["ak"], first=61)[0]
    assert found(asked)[0] == late.pk
    have_features(other, model, QUERY)
    PhotoFeatures.objects.filter(photo=other.photo).update(id=highest + 50)
    assert other.pk in found(asked)


def test_the_same_patient_and_lesion_are_left_out_and_counted(asked, archive, curator, clinic, model):
    lesion = asked.photo.lesion
    Patient.objects.filter(pk=lesion.patient_id).update(research_consent="given")
    for seed, whose in ((70, lesion), (71, Lesion.objects.create(clinic=clinic, patient=lesion.patient))):
        photo = factories.make_photo(clinic, curator, seed=seed, lesion=whose)
        entry = factories.make_entry(
            photo, curator, label="mm", is_proven=True, review="accepted",
            source=factories.make_source(clinic, "Hanok", is_own=True),
        )  # fmt: skip
        have_features(entry, model, QUERY)
    told = neighbours.of_analysis(asked)
    assert [one.entry.pk for one in told.neighbours] == keys(archive)
    assert (told.compared, told.lacking, told.own) == (3, 0, 2)


def test_of_a_lesion_the_nearest_photo_stands_for_it(asked, archive, curator, model):
    near = archive[0]
    photo = factories.make_photo(asked.clinic, curator, seed=80, lesion=near.photo.lesion)
    second = factories.make_entry(
        photo, curator, label="bcc", is_proven=True, review="accepted", source=near.source
    )
    have_features(second, model, QUERY)
    assert found(asked) == keys([second, *archive[1:]])


def test_sketches_of_a_few_photos_are_made_anew_when_there_are_many(asked, archive, curator, model):
    assert found(asked) == keys(archive)
    own = bank.of(asked.clinic_id, model.pk)
    assert own._sampled == 3
    more = evaluated.make_entries(asked.clinic, curator, ["ak"] * 5, first=100)
    for n, entry in enumerate(more):
        have_features(entry, model, (4, 3, 2 + n, 1))
    assert found(asked) == keys([archive[0], more[0], more[1], archive[1], more[2], more[3]])
    assert own._sampled == len(own._ids) == 8


def test_nothing_of_another_clinic_or_model_is_found(asked, archive, other_clinic, outsider):
    foreign = evaluated.make_entries(other_clinic, outsider, ["bcc"], first=90)[0]
    have_features(foreign, asked.model_version, QUERY)
    other = results.make_version(name="another")
    PhotoFeatures.objects.filter(photo=archive[0].photo).update(model_version=other)
    assert found(asked) == keys(archive[1:])


def test_what_cannot_be_said_is_said_so(asked, clinic, curator, archive):
    assert neighbours.of_analysis(asked).state == "found"
    PhotoFeatures.objects.filter(photo=asked.photo).delete()
    assert neighbours.of_analysis(asked).state == "no_features"
    have_features_of = Analysis.objects.get(pk=asked.pk)
    features.keep([(have_features_of, np.array(QUERY, np.float16))])
    Entry.objects.all().update(is_proven=False)
    assert neighbours.of_analysis(asked).state == "none_proven"
    asked.photo.kind = "overview"
    assert neighbours.of_analysis(asked).state == "set_aside"


def test_the_job_makes_what_is_missing_and_keeps_answers(clinic, curator, lively):
    entries = evaluated.make_entries(clinic, curator, ["bcc", "mm", "sk"])
    batch_analyses.analyse(lively, [entry.photo_id for entry in entries])
    before = dict(Analysis.objects.values_list("photo", "analysed_at"))
    made = dict(PhotoFeatures.objects.values_list("photo", "values"))
    assert len(made) == 3
    # As answers from before features were kept.
    PhotoFeatures.objects.all().delete()
    row = making.ask(clinic, lively, curator)
    assert making.ask(clinic, lively, curator) == row and audited("model.make_features")
    jobs.run_waiting(making.JOB)
    again = dict(PhotoFeatures.objects.values_list("photo", "values"))
    assert {key: bytes(values) for key, values in again.items()} == {k: bytes(v) for k, v in made.items()}
    assert dict(Analysis.objects.values_list("photo", "analysed_at")) == before
    assert making.ask(clinic, lively, curator) != row


def test_the_command_goes_on_where_it_was(clinic, curator, lively, capsys, monkeypatch):
    entries = evaluated.make_entries(clinic, curator, ["bcc", "mm"])
    batch_analyses.analyse(lively, [entries[0].photo_id])
    opened = []
    real = batch_analyses._open_crop
    monkeypatch.setattr(batch_analyses, "_open_crop", lambda photo: opened.append(photo.pk) or real(photo))
    call_command("make_features", clinic=clinic.slug)
    assert opened == [entries[1].photo_id]
    assert "2 of 2 proven photos have features" in capsys.readouterr().out


def test_a_search_by_sketches_finds_exactly_what_looking_at_all_finds():
    random = np.random.default_rng(5)
    centres = random.normal(size=(40, 300))
    vectors = nearest.unit(centres[random.integers(0, 40, 3000)] + 0.3 * random.normal(size=(3000, 300)))
    sketches = nearest.Sketches(vectors[::3])
    for part in np.array_split(vectors, 7):
        sketches.add(part)
    assert len(sketches) == 3000
    for query in nearest.unit(vectors[:20] + 0.1 * random.normal(size=(20, 300))):
        distances = np.square(vectors - query).sum(axis=1)
        bounds = sketches.bounds(query.astype(np.float32))
        assert (bounds <= distances + 1e-6).all()
        best: list[tuple[float, int]] = []

        def look(places, best=best, distances=distances) -> float:
            best += [(float(distances[place]), int(place)) for place in places]
            best.sort()
            return best[9][0]

        looked = nearest.search(bounds, look)
        assert [place for _distance, place in best[:10]] == np.argsort(distances, kind="stable")[:10].tolist()
        assert looked < 1500
    sketches.keep(np.arange(3000) % 2 == 0)
    np.testing.assert_allclose(sketches.bounds(query.astype(np.float32)), bounds[::2], atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_vectors_or_equal_ones_are_searched_as_well(count):
    vectors = nearest.unit(np.ones((count, 8)))
    sketches = nearest.Sketches(vectors)
    sketches.add(vectors)
    assert np.abs(sketches.bounds(vectors[0])).max() < 1e-4


def page(client, row):
    return client.get(url("analysis-similar", row.pk), headers={"HX-Request": "true"})


def test_the_part_of_the_page_names_diagnosis_likeness_and_source(asked, archive, clinician, client_for):
    client = client_for(clinician)
    assert url("analysis-similar", asked.pk) in client.get(url("photo", asked.photo_id)).content.decode()
    shown = page(client, asked).content.decode()
    assert shown.index("0.98") < shown.index(url("archive-entry", archive[1].pk)) < shown.index("0.78")
    assert "Basal cell carcinoma" in shown and "Cohort" in shown
    assert "Looked for among 3 proven photos" in shown
    assert "<html" not in shown
    assert "<html" in client.get(url("analysis-similar", asked.pk)).content.decode(), "without scripts"


def test_nothing_is_sent_before_the_own_impression(
    asked, archive, clinic, clinician, coordinator, client_for
):
    clinic.impression_first = True
    clinic.save()
    client = client_for(clinician)
    assert url("analysis-similar", asked.pk) not in client.get(url("photo", asked.photo_id)).content.decode()
    assert page(client, asked).status_code == 204
    assert client.get(url("analysis-similar", asked.pk)).status_code == 302
    response = client.get(f"/api/analyses/{asked.pk}/similar/")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "impression_first")
    assert page(client_for(coordinator), asked).status_code == 200
    client.post(url("analysis-impression", asked.pk), {"choice": "mm"})
    assert "Basal cell carcinoma" in page(client, asked).content.decode()


def test_programs_get_the_same(asked, archive, clinician, client_for):
    body = client_for(clinician).get(f"/api/analyses/{asked.pk}/similar/").json()
    assert (body["state"], body["compared"], body["lacking"], body["own"]) == ("found", 3, 0, 0)
    assert [row["entry"] for row in body["photos"]] == keys(archive)
    first = body["photos"][0]
    assert (first["label"], first["source"], first["reviewed"]) == ("bcc", "Cohort", True)
    assert first["likeness"] == pytest.approx(0.981, abs=1e-3)


def test_curators_are_offered_to_have_the_rest_looked_at(asked, archive, curator, clinician, client_for):
    PhotoFeatures.objects.filter(photo=archive[0].photo).delete()
    address = url("analysis-similar-make", asked.pk)
    shown = page(client_for(clinician), asked).content.decode()
    assert "1 more cannot be compared" in shown and address not in shown
    assert client_for(clinician).post(address).status_code == 403
    assert address in page(client_for(curator), asked).content.decode()
    client_for(curator).post(address)
    assert making.at_work(asked.clinic_id, asked.model_version) is not None
    assert "looking at them now" in page(client_for(curator), asked).content.decode()


def test_an_answer_from_before_is_not_evaluable_until_the_photo_is_looked_at_again(
    clinic, curator, clinician, client_for, lively
):
    entries = evaluated.make_entries(clinic, curator, ["bcc", "mm"])
    batch_analyses.analyse(lively, [entry.photo_id for entry in entries])
    asked = factories.make_analysis(factories.make_photo(clinic, clinician, seed=1), clinician)
    assert len(found(asked)) == 2
    PhotoFeatures.objects.filter(photo=asked.photo).delete()
    client = client_for(clinician)
    assert "Not evaluable" in page(client, asked).content.decode()
    client.post(url("analysis-similar-again", asked.pk))
    jobs.run_waiting(making.ONE)
    assert len(found(asked)) == 2
    assert Analysis.objects.filter(photo=asked.photo).count() == 1


def test_features_of_a_covered_square_are_deleted(asked, clinician):
    from skinclinic.services import covering

    box = asked.box
    area = {"x": box.x + 10, "y": box.y + 10, "width": 40, "height": 40}
    covering.cover(asked.photo, [area], clinician)
    assert not PhotoFeatures.objects.filter(photo=asked.photo).exists()


def test_an_answer_from_before_a_cover_is_not_compared_by_what_is_there_now(
    asked, archive, clinician, client_for, model
):
    from skinclinic.services import covering

    box = asked.box
    area = {"x": box.x + 10, "y": box.y + 10, "width": 40, "height": 40}
    covering.cover(asked.photo, [area], clinician)
    anew = results.finished(Photo.objects.get(pk=asked.photo_id), clinician, version=model, features=QUERY)
    assert anew.pk != asked.pk and found(anew) == keys(archive)
    asked.refresh_from_db()
    client = client_for(clinician)
    told = client.get(f"/api/analyses/{asked.pk}/similar/").json()
    assert (told["state"], told["photos"]) == ("covered", [])
    text = page(client, asked).content.decode()
    assert "was covered since" in text and "Look at it again" not in text


def test_other_lesions_in_the_same_picture_are_no_comparison(clinic, curator, clinician, model, archive):
    """The patient need not be known for that."""
    photo = factories.make_photo(clinic, clinician, seed=77)
    Photo.objects.filter(pk__in=[photo.pk, archive[0].photo_id]).update(picture="a" * 32)
    photo.refresh_from_db()
    row = results.finished(photo, clinician, version=model, features=QUERY)
    told = neighbours.of_analysis(row)
    assert [one.entry.pk for one in told.neighbours] == keys(archive[1:])
    assert (told.compared, told.own) == (2, 1)


def test_a_photo_filed_under_a_patient_who_refuses_is_shown_no_more(
    asked, archive, clinic, curator, clinician, model
):
    given = factories.make_patient(clinic, "P-2", research_consent="given")
    refusing = factories.make_patient(clinic, "P-3", research_consent="refused")
    lesion = Lesion.objects.create(clinic=clinic, patient=given, site="cheek")
    photo = factories.make_photo(clinic, clinician, seed=88, lesion=lesion)
    own = factories.make_entry(
        photo, curator, label="mm", review="accepted", is_proven=True, patient=given,
        source=factories.make_source(clinic, "Own", is_own=True),
    )  # fmt: skip
    have_features(own, model, QUERY)
    assert found(asked) == keys([own, *archive])
    lesion.patient = refusing
    lesion.save()
    assert found(asked) == keys(archive)
