"""Near-duplicates: found without comparing all pairs, and decided two at a time."""

import io
from datetime import date

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from skinclinic import imaging
from skinclinic.archive import near_duplicates as near
from skinclinic.archive.models import DuplicatePair, Review
from skinclinic.archive.services.curating import duplicates
from skinclinic.archive.views.duplicates import _facts as facts_of
from skinclinic.engine import jobs
from skinclinic.imaging.likeness import hash_of
from skinclinic.services.photos import store_photo
from tests import factories
from tests.cases import each


def all_pairs(hashes: np.ndarray, most: int) -> set[tuple[int, int]]:
    bits = hashes.view(np.uint64)
    distances = np.bitwise_count(bits[:, None] ^ bits[None])
    return {tuple(map(int, pair)) for pair in np.argwhere(np.triu(distances <= most, 1))}


@each("most", range(8))
def test_every_pair_within_the_distance_is_found(most):
    random = np.random.default_rng(most)
    hashes = random.integers(-(2**63), 2**63 - 1, 1500)
    # Three hundred near copies with up to nine bits turned, in any place.
    for copy in range(300):
        bits = hashes[copy : copy + 1].view(np.uint64).copy()
        for bit in random.choice(64, random.integers(0, 10), replace=False):
            bits ^= np.uint64(1) << np.uint64(bit)
        hashes[-1 - copy] = bits.view(np.int64)[0]
    pairs, distances = near.pairs(hashes, most)
    assert {tuple(map(int, pair)) for pair in pairs} == all_pairs(hashes, most)
    assert (np.diff(distances) >= 0).all() and (distances <= most).all()


def test_equal_hashes_in_great_number_are_all_found():
    hashes = np.full(400, -7)
    assert len(near.pairs(hashes, 6)[0]) == 400 * 399 // 2


@pytest.mark.parametrize("most", [0, 3, 7])
@pytest.mark.parametrize("most_each", [1, 2, 5])
def test_of_many_alike_each_is_paired_with_the_nearest_before_it(most, most_each, monkeypatch):
    monkeypatch.setattr(near, "_CHUNK", 50)  # so that finding and keeping go in many small steps
    random = np.random.default_rng(most)
    # Five crowds of hashes around a centre, many of them equal, in mixed order.
    hashes = np.repeat(random.integers(-(2**63), 2**63 - 1, 5), 40).view(np.uint64)
    for _turn in range(3):
        turned = random.random(len(hashes)) < 0.5
        hashes[turned] ^= np.uint64(1) << random.integers(0, 4, turned.sum()).astype(np.uint64)
    random.shuffle(hashes)
    distances = np.bitwise_count(hashes[:, None] ^ hashes[None])
    wanted = set()
    for second in range(len(hashes)):
        before = [(distances[first, second], first) for first in range(second)]
        alike = sorted(pair for pair in before if pair[0] <= most)[:most_each]
        wanted |= {(first, second) for _distance, first in alike}
    pairs, found = near.pairs(hashes.view(np.int64), most, most_each)
    assert len(pairs) == len(wanted) and {tuple(map(int, pair)) for pair in pairs} == wanted
    assert (found == distances[pairs[:, 0], pairs[:, 1]]).all() and (np.diff(found) >= 0).all()


def test_equal_hashes_do_not_make_pairs_without_end():
    pairs, _distances = near.pairs(np.full(20_000, -7), 6, 10)
    assert len(pairs) == 20_000 * 10 - 55
    # Nobody is left out, so that of equal photos all but one can be found and rejected.
    assert set(pairs[:, 1].tolist()) == set(range(1, 20_000))


def test_no_hash_and_too_large_a_distance():
    assert near.pairs(np.empty(0, np.int64), 6)[0].shape == (0, 2)
    with pytest.raises(ValueError, match="0 to 7"):
        near.pairs(np.array([1]), 8)


def test_on_real_photos_copies_are_near_and_different_lesions_are_not(real_photos):
    files = sorted((real_photos / "images").glob("*.jpg"))
    hashes, changed = [], []
    for file in files:
        image = Image.open(file).convert("RGB")
        hashes.append(hash_of(image))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=40)
        half = image.resize((image.width // 2, image.height // 2))
        changed.append([hash_of(Image.open(buffer)), hash_of(half)])
    bits = np.array(hashes).view(np.uint64)
    to_copies = np.bitwise_count(bits[:, None] ^ np.array(changed).view(np.uint64))
    assert to_copies.max() <= duplicates.MAX_DISTANCE
    pairs, _distances = near.pairs(np.array(hashes), duplicates.MAX_DISTANCE)
    # One patient's photo stands in the set twice, under two lesions.
    assert {files[index].name for pair in pairs for index in pair} <= {
        "PAT_56_86_479.jpg",
        "PAT_56_88_274.jpg",
    }


@pytest.fixture
def two(clinic, curator):
    """A photo and its copy at half the size, of two patients and two sources."""
    data = factories.jpeg_bytes(1, 640, 512)
    small = Image.open(io.BytesIO(data)).resize((320, 256))
    entries = []
    for number, bytes_ in enumerate([data, imaging.encode_jpeg(small)]):
        photo, _new = store_photo(clinic=clinic, user=curator, data=bytes_, name=f"{number}.jpg")
        photo.lesion.patient = factories.make_patient(clinic, f"P-{number}")
        photo.lesion.save()
        source = factories.make_source(clinic, f"Archive {number}")
        entries.append(factories.make_entry(photo, curator, source=source))
    other, _new = store_photo(clinic=clinic, user=curator, data=factories.jpeg_bytes(8), name="8.jpg")
    factories.make_entry(other, curator)
    return entries


@pytest.fixture
def pair(two, clinic):
    duplicates.request_search(clinic)
    jobs.run_waiting(duplicates.JOB)
    return DuplicatePair.objects.get()


def test_the_search_finds_the_copy_and_says_across_what(pair, two):
    assert (pair.first, pair.second) == tuple(two)
    assert pair.across_patients and pair.across_sources
    assert pair.distance <= duplicates.MAX_DISTANCE
    pair.first.taken_on = date(2017, 1, 15)
    assert "15 Jan 2017" in [fact["first"] for fact in facts_of(pair)]


def test_a_second_search_adds_nothing_and_is_not_due(pair, clinic, curator):
    assert not duplicates.search_is_due(clinic, duplicates.last_search(clinic))
    assert list(duplicates.find_pairs(clinic)) == []
    factories.make_entry(factories.make_photo(clinic, curator, seed=20), curator)
    assert duplicates.search_is_due(clinic, duplicates.last_search(clinic))


def test_an_empty_archive_has_nothing_to_compare(clinic):
    assert duplicates.request_search(clinic) is None


def test_photos_of_another_clinic_are_not_compared(two, clinic, other_clinic):
    stranger = factories.make_member(other_clinic, "curator", "olga")
    data = factories.jpeg_bytes(1, 640, 512)
    photo, _new = store_photo(clinic=other_clinic, user=stranger, data=data, name="same.jpg")
    factories.make_entry(photo, stranger)
    assert list(duplicates.find_pairs(other_clinic)) == []


def test_of_the_same_photo_one_is_rejected_and_undo_brings_it_back(pair, curator, client_for):
    client = client_for(curator)
    page = client.post(
        reverse("duplicate-decide", args=[pair.pk]), {"verdict": "photo", "keep": "second"}, follow=True
    )
    assert "Same photo" in page.content.decode()
    pair.first.refresh_from_db()
    pair.second.refresh_from_db()
    assert (pair.first.review, pair.first.reject_reason) == (Review.REJECTED, "duplicate")
    assert pair.second.review == Review.PENDING
    client.post(reverse("duplicate-reopen", args=[pair.pk]))
    pair.refresh_from_db()
    pair.first.refresh_from_db()
    assert pair.verdict == DuplicatePair.Verdict.OPEN
    assert (pair.first.review, pair.first.reject_reason) == (Review.PENDING, "")
    assert [change.action for change in pair.first.changes.all()] == ["undone", "rejected", "imported"]


@pytest.mark.parametrize("verdict", ["lesion", "different"])
def test_other_verdicts_reject_nobody(pair, curator, verdict):
    duplicates.decide(pair, curator, verdict)
    pair.first.refresh_from_db()
    pair.second.refresh_from_db()
    assert pair.first.review == pair.second.review == Review.PENDING
    assert (pair.verdict, pair.decided_by) == (verdict, curator)


def test_the_second_curator_is_told_what_the_first_decided(pair, curator, admin_user, client_for):
    duplicates.decide(pair, admin_user, DuplicatePair.Verdict.DIFFERENT)
    page = client_for(curator).post(
        reverse("duplicate-decide", args=[pair.pk]), {"verdict": "photo"}, follow=True
    )
    assert "Ada has decided this pair already: Different" in page.content.decode()
    pair.refresh_from_db()
    assert pair.verdict == DuplicatePair.Verdict.DIFFERENT


@pytest.mark.parametrize("body", [{}, {"verdict": "open"}, {"verdict": "photo", "keep": "both"}])
def test_a_verdict_that_is_none_changes_nothing(pair, curator, client_for, body):
    page = client_for(curator).post(reverse("duplicate-decide", args=[pair.pk]), body, follow=True)
    assert "Choose one of" in page.content.decode()
    pair.refresh_from_db()
    assert pair.verdict == DuplicatePair.Verdict.OPEN


@each("after", ["", "0.0", "x", "99999.1", "4.", "²³.5"])
def test_the_queue_shows_the_pair_or_says_there_is_none(pair, curator, client_for, after):
    page = client_for(curator).get(reverse("duplicates"), {"after": after, "show": "patients"})
    assert page.status_code == 200
    assert "Archive 0" in page.content.decode()


def test_skipping_leads_past_the_pair(pair, curator, client_for):
    address = reverse("duplicates")
    page = client_for(curator).get(address, {"after": f"{pair.distance}.{pair.pk}"}).content.decode()
    assert "No pair after this one" in page


def test_who_may_only_look_gets_no_buttons(pair, coordinator, client_for):
    client = client_for(coordinator)
    assert "pair-lesion" not in client.get(reverse("duplicates")).content.decode()
    assert client.post(reverse("duplicate-decide", args=[pair.pk]), {"verdict": "lesion"}).status_code == 403
    assert client.post(reverse("duplicates-search")).status_code == 403


def test_decided_pairs_are_listed(pair, curator, client_for):
    duplicates.decide(pair, curator, DuplicatePair.Verdict.SAME_LESION)
    page = client_for(curator).get(reverse("duplicates-decided")).content.decode()
    assert "Same lesion" in page and "Curtis" in page
