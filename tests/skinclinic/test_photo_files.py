"""A photo's files: only for members of its clinic, never cached, never under a public address."""

import io

import pytest
from django.urls import get_resolver, reverse
from PIL import Image

from skinclinic.files import store as files
from skinclinic.models import Photo
from skinclinic.services.photos import store_photo
from tests import factories
from tests.cases import each

NAMES = ["photo-image", "photo-thumbnail"]


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_a_member_gets_the_stored_jpeg(photo, coordinator, client_for):
    response = client_for(coordinator).get(reverse("photo-image", args=[photo.pk]))
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert body(response) == files.read(photo.file_key)


def test_a_screen_gets_fewer_pixels_of_a_large_photo_and_the_same_of_a_small_one(
    clinician, clinic, client_for
):
    small = factories.make_photo(clinic, clinician)
    large, _new = store_photo(
        clinic=clinic, user=clinician, data=factories.jpeg_bytes(5, 2400, 1800), name="large.jpg"
    )
    client = client_for(clinician)
    fetch = {
        photo: client.get(reverse("photo-image", args=[photo.pk]) + "?for=screen") for photo in (small, large)
    }
    assert fetch[small].content == files.read(small.file_key)
    assert Image.open(io.BytesIO(fetch[large].content)).size == (1600, 1200)
    assert len(fetch[large].content) < len(files.read(large.file_key)) / 3
    assert all(one["Cache-Control"] == "no-store, private" for one in fetch.values())


def test_the_thumbnail_is_small(photo, clinician, client_for):
    response = client_for(clinician).get(reverse("photo-thumbnail", args=[photo.pk]))
    assert max(Image.open(io.BytesIO(body(response))).size) <= 320


@pytest.mark.parametrize("name", NAMES)
def test_it_is_private(name, photo, clinician, client_for):
    response = client_for(clinician).get(reverse(name, args=[photo.pk]))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store, private"
    assert response["Content-Disposition"].startswith("inline; filename=")


@pytest.mark.parametrize("name", NAMES)
def test_strangers_find_nothing(name, photo, outsider, client_for, client):
    url = reverse(name, args=[photo.pk])
    assert client_for(outsider).get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert client_for(outsider).get(reverse(name, args=[10**30])).status_code == 404


def test_a_member_who_left_finds_nothing(photo, coordinator, client_for):
    coordinator.memberships.update(is_active=False)
    assert client_for(coordinator).get(reverse("photo-image", args=[photo.pk])).status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_only_reading(name, photo, clinician, client_for):
    assert client_for(clinician).post(reverse(name, args=[photo.pk])).status_code == 405


@pytest.mark.parametrize("name", NAMES)
def test_behind_nginx_the_body_is_empty_and_the_file_is_named(name, photo, clinician, client_for, settings):
    settings.X_ACCEL_PREFIX = "/private/"
    response = client_for(clinician).get(reverse(name, args=[photo.pk]))
    key = photo.file_key if name == "photo-image" else photo.thumbnail_key
    assert response["X-Accel-Redirect"] == f"/private/{key}"
    assert response.content == b""
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/jpeg", "no-store, private")


@pytest.mark.parametrize("prefix", ["", "/private/"])
def test_a_file_that_is_gone_is_a_404(prefix, photo, clinician, client_for, settings):
    settings.X_ACCEL_PREFIX = prefix
    files.delete(photo.file_key)
    assert client_for(clinician).get(reverse("photo-image", args=[photo.pk])).status_code == 404


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("lesion.png", 'inline; filename="lesion.jpg"'),
        ('a"b;.jpg', 'inline; filename="a\\"b;.jpg"'),
        ("왼쪽.heic", "inline; filename*=utf-8''%EC%99%BC%EC%AA%BD.jpg"),
    ],
)
def test_the_file_name_is_safe(name, header, photo, clinician, client_for):
    Photo.objects.update(original_name=name)
    response = client_for(clinician).get(reverse("photo-image", args=[photo.pk]))
    assert response["Content-Disposition"] == header


def test_no_address_serves_the_photos_folder():
    patterns = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    assert not [pattern for pattern in patterns if "media" in pattern]


@each("accept", ["*/*", "image/jpeg", "application/json"])
@each("field", ["image", "thumbnail"])
def test_a_program_gets_the_files_of_a_photo_by_its_token(accept, field, client, clinic, clinician, outsider):
    photo = factories.make_photo(clinic, clinician, seed=9)
    token, theirs = (factories.make_token(user) for user in (clinician, outsider))
    row = client.get(f"/api/photos/{photo.pk}/", HTTP_AUTHORIZATION=f"Token {token}").json()
    response = client.get(row[field], HTTP_AUTHORIZATION=f"Token {token}", HTTP_ACCEPT=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    kept = photo.file_key if field == "image" else photo.thumbnail_key
    assert body(response) == files.read(kept)
    assert client.get(row[field], HTTP_ACCEPT=accept).status_code == 401
    assert client.get(row[field], HTTP_AUTHORIZATION=f"Token {theirs}", HTTP_ACCEPT=accept).status_code == 404
