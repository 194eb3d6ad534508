"""Comparing photos of a lesion: which are chosen and how, and one laid over the other."""

from types import SimpleNamespace

import pytest
from django.http import QueryDict
from PIL import Image

from skinclinic.imaging import encode_jpeg
from skinclinic.models import Lesion
from skinclinic.presenters.comparison import comparison
from skinclinic.services import alignments
from skinclinic.services.photos import store_photo
from skinclinic.web.counts import grouped
from tests import factories
from tests.cases import each
from tests.skinclinic.imaging.test_alignment import skin

PHOTOS = [SimpleNamespace(pk=pk) for pk in (3, 1, 4, 2)]


@each(
    "asked, shown, mode, aligns",
    [
        ("", [4, 2], "side", True),
        ("a=1&b=3&mode=swipe&align=on", [1, 3], "swipe", True),
        ("a=1&b=3&mode=flicker", [1, 3], "flicker", False),
        ("a=1&b=3&c=2", [1, 3, 2], "side", True),
        ("a=1&b=1", [1, 2], "side", True),
        ("a=2&b=x", [2, 4], "side", True),
        ("a=9&b=%00&mode=spin", [4, 2], "side", False),
        ("photos=2&photos=3", [3, 2], "side", True),
    ],
)
def test_the_address_says_which_photos_and_how(asked, shown, mode, aligns):
    found = comparison(QueryDict(asked), PHOTOS)
    assert ([photo.pk for photo in found.shown], found.mode, found.aligns) == (shown, mode, aligns)


def test_one_photo_is_laid_over_nothing():
    found = comparison(QueryDict("mode=swipe"), PHOTOS[:1])
    assert (found.mode, found.offered, found.placed) == ("side", ("a",), [("A", PHOTOS[0])])


@pytest.mark.django_db
def test_an_alignment_is_found_once_told_both_ways_and_only_of_one_lesion(
    client_for, clinician, outsider, clinic, photo, monkeypatch
):
    lesion = Lesion.objects.create(clinic=clinic)
    picture = Image.fromarray(skin(7)).convert("RGB")
    files = [encode_jpeg(picture), encode_jpeg(picture.resize((360, 360)))]
    one, two = (
        store_photo(clinic=clinic, user=clinician, data=data, name="skin.jpg", lesion=lesion)[0]
        for data in files
    )
    client, address = client_for(clinician), f"/lesions/{lesion.pk}/alignment/"
    there = client.get(address, {"a": one.pk, "b": two.pk}).json()
    assert there["matrix"] == pytest.approx([2 / 3, 0, 0, 2 / 3, 0, 0], abs=0.6)
    assert grouped(there["points"]) in there["said"] and "does not measure growth" in there["said"]
    # Known from now on, also the other way round.
    monkeypatch.setattr(alignments, "align", None)
    back = client.get(address, {"a": two.pk, "b": one.pk}).json()
    assert back["matrix"] == pytest.approx([1.5, 0, 0, 1.5, 0, 0], abs=0.9)
    monkeypatch.undo()
    other = factories.make_photo(clinic, clinician, seed=8, lesion=lesion)
    refused = client.get(address, {"a": one.pk, "b": other.pk}).json()
    assert refused["matrix"] is None and refused["said"].startswith("Cannot be aligned: ")
    for asked in (
        {},
        {"a": one.pk},
        {"a": one.pk, "b": one.pk},
        {"a": one.pk, "b": photo.pk},
        {"a": "x", "b": "\0"},
    ):
        assert client.get(address, asked).status_code == 400
    assert client_for(outsider).get(address, {"a": one.pk, "b": two.pk}).status_code == 404
