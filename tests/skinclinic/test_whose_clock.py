"""A web process whose own clock is months behind: what it writes is not swept away as old."""

from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import TryRun
from classifier.services.analysis import trials
from skinclinic.models import Attempt, BinItem, PasswordLink, Photo
from skinclinic.services import attempts, password_links, repeated
from skinclinic.services.binning import bin, emptying
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def months_behind(monkeypatch):
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(days=100))


def test_what_was_just_deleted_lies_in_the_bin(photo, clinician):
    item = bin.put(photo, clinician, reason="mistake")
    emptying.empty_what_is_over()
    assert BinItem.objects.get(pk=item.pk).ended_at is None
    assert Photo.objects.model._base_manager.filter(pk=photo.pk).exists() or item.rows.exists()


def test_a_link_for_a_new_password_works(clinician, admin_user, clinic):
    _link, secret = password_links.make(clinician.memberships.get(), admin_user)
    password_links.forget_old_links()
    assert password_links.find(secret).user == clinician and PasswordLink.objects.count() == 1


def test_attempts_are_not_forgotten(db):
    attempts.count("try", {"198.51.100.7": 5})
    attempts.forget_old_attempts()
    assert Attempt.objects.get().count == 1


def test_an_attempt_that_is_swept_while_it_is_counted_makes_nobody_wait_for_an_hour(db, monkeypatch):
    found = Attempt.objects.get_or_create

    def then_swept(**who):
        made = found(**who)
        Attempt.objects.all().delete()
        return made

    monkeypatch.setattr(Attempt.objects, "get_or_create", then_swept)
    attempts.count("try", {"198.51.100.7": 1})


def test_what_was_asked_once_is_not_done_again(clinician):
    with repeated.once(clinician, "k-1", "body") as request:
        repeated.done(request, 201, 1, {})
    repeated.forget_old_requests()
    with repeated.once(clinician, "k-1", "body") as again:
        assert again.status == 201


def test_a_photo_that_is_tried_out_keeps_its_hour(clinic, model_version):
    made = trials.start(clinic, sender="x", data=factories.jpeg_bytes(3))
    trials.delete_expired()
    assert TryRun.objects.filter(pk=made.pk).exists() and trials.find(made.token) == made
