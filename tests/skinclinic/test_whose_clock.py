"""A web process whose own clock is months behind: what it writes is not swept away as old."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from classifier.models import TryRun
from classifier.services.analysis import trials
from reader_study.models import Study
from reader_study.services.making import studies
from skinclinic.archive.services.bulk import bulk
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.importing import imports, room
from skinclinic.engine import jobs
from skinclinic.models import (
    Attempt,
    BinItem,
    ImageArchive,
    ImageSending,
    Lesion,
    PasswordLink,
    Patient,
    Photo,
    Retention,
    WebhookMessage,
)
from skinclinic.services import attempts, image_archives, password_links, repeated, retention, webhooks
from skinclinic.services.binning import bin, emptying
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def months_behind(monkeypatch):
    behind(monkeypatch, timedelta(days=100))


def behind(monkeypatch, by: timedelta) -> None:
    """From now on this process's clock is behind, also for columns that ask it themselves."""

    class Behind(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - by

    monkeypatch.setattr(timezone, "datetime", Behind)


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


def test_messages_and_photos_that_are_to_be_sent_wait_on(clinic, admin_user):
    webhook, _secret = webhooks.make(
        clinic, admin_user, url="https://there.example.org/", events=["photo.stored"]
    )
    webhooks.tell(clinic, "photo.stored", photo=1)
    archive = ImageArchive.objects.create(clinic=clinic, name="PACS", way="dicom", host="pacs.example.org")
    image_archives.test(archive, admin_user)
    webhooks.forget_old_messages()
    image_archives.forget_old_sendings()
    assert WebhookMessage.objects.get().webhook == webhook and ImageSending.objects.get().archive == archive


def test_files_of_an_import_that_was_just_sent_stay(clinic, curator, settings):
    home = settings.SKINCLINIC_HOME / "imports"
    row = imports.begin(
        clinic=clinic,
        user=curator,
        name="New",
        format="csv",
        role="both",
        photos=str(home / "1" / "photos.zip"),
    )
    room.sweep_not_started()
    row.refresh_from_db()
    assert row.photos and row.state == "uploaded"


def test_rules_begin_when_they_were_said_to_and_take_nothing_that_is_new(
    clinic, clinician, curator, admin_user, monkeypatch
):
    """Where others have the right time, whose rows tell that what came after them is as new."""
    with monkeypatch.context() as right:
        right.setattr(timezone, "datetime", datetime)
        known, old = factories.make_patient(clinic, "P-1"), factories.make_patient(clinic, "P-2")
        Patient.objects.filter(pk__in=[known.pk, old.pk]).update(
            created_at=timezone.now() - timedelta(days=2000)
        )
        factories.make_photo(clinic, clinician)
        factories.make_patient(clinic, "P-3")
    behind(monkeypatch, timedelta(days=2000))
    new = factories.make_patient(clinic, "P-4")
    lesion = Lesion.objects.create(clinic=clinic, patient=known)
    factories.make_photo(clinic, clinician, seed=2, lesion=lesion)
    imports.begin(clinic=clinic, user=curator, name="New", format="csv", role="both", photos="p.zip")
    study = Study.objects.create(clinic=clinic, name="Over", state="open")
    studies.close(study, admin_user)
    rules = Retention(clinic=clinic, patients_years=2, imports_days=60, readers_months=12)
    told = {one.name: (one.now, one.soon) for one in retention.foreseen(rules)}
    assert told["imports_days"] == told["readers_months"] == (0, 0)
    retention.save(rules, admin_user)
    retention.ask_daily()
    assert jobs.run_waiting(retention.JOB) == 0 and retention.run(clinic) == {}
    Retention.objects.update(begins_on=timezone.localdate())
    assert retention.run(clinic) == {"patients_years": 1, "imports_days": 0, "readers_months": 0}
    assert set(Patient.objects.values_list("code", flat=True)) == {"P-1", "P-3", "P-4"}
    assert {known, new} <= set(Patient.objects.all())


def test_what_a_colleague_decided_on_another_machine_is_not_overwritten(
    clinic, clinician, curator, monkeypatch
):
    """Two web processes, whose clocks are apart."""
    colleague = factories.make_member(clinic, "curator", "colleague")
    entry = factories.make_entry(factories.make_photo(clinic, clinician), curator, review="pending")
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    row = bulk.ask(clinic, curator, "accept", chosen=[entry.pk], values={})
    behind(monkeypatch, timedelta(days=100, hours=2))
    review.decide(clinic=clinic, user=colleague, entry_ids=[entry.pk], review="rejected", reason="not_skin")
    jobs.run_waiting(bulk.JOB)
    row.refresh_from_db()
    entry.refresh_from_db()
    assert (entry.review, row.left, row.changed) == ("rejected", 1, 0)
