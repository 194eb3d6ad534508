"""Days of readers and centres, reminders that go out by themselves, practice allowed once more."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from reader_study.models import Reader, Study, StudyEvent
from reader_study.services.making import progress, readers, reminding, studies
from skinclinic.services.refused import Refused
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


def test_days_reminders_and_practice(opened, coordinator, client_for, settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    ann, bo = opened.readers.order_by("pk")
    client, address = client_for(coordinator), url("study-deadline", opened.pk)
    Reader.objects.filter(pk=ann.pk).update(centre="Asan", language="ko")
    yesterday = timezone.localdate() - timedelta(days=1)
    client.post(address, {"whom": "centre:Asan", "day": yesterday.isoformat()})
    assert [line.is_overdue for line in progress.of(opened)] == [True, False]
    assert (
        f"wanted by {date_format(yesterday)}" in client.get(url("study-progress", opened.pk)).content.decode()
    )
    for sent in (
        {"whom": "centre:None", "day": "2030-01-01"},
        {"whom": f"reader:{bo.pk}", "day": "2030-13-01"},
    ):
        client.post(address, sent)
    assert opened.events.filter(kind=StudyEvent.Kind.DEADLINE).count() == 1
    client.post(address, {"whom": f"reader:{ann.pk}", "day": ""})
    assert not any(line.is_overdue for line in progress.of(opened))

    # Nobody is reminded unless the study says so, nor before the days are over, nor twice.
    reminding.remind_by_itself()
    studies.Study.objects.update(reminds_every=7, opened_at=timezone.now() - timedelta(days=6))
    Reader.objects.update(created_at=timezone.now() - timedelta(days=9))
    reminding.remind_by_itself()
    assert not Reader.objects.exclude(reminded_at=None).exists()
    Study.objects.update(opened_at=timezone.now() - timedelta(days=8), reminders_at=None)
    for _again in range(2):
        reminding.remind_by_itself()
        Study.objects.update(reminders_at=None)
    # Bo has no address.
    assert opened.events.filter(kind=StudyEvent.Kind.REMINDED).count() == 1
    ann.refresh_from_db()
    assert ann.reminder.address == "ann@example.org" and "Dear" not in ann.reminder.text

    client.post(url("study-reader", opened.pk, ann.pk), {"act": "retry"})
    ann.refresh_from_db()
    assert ann.more_tries == 1
    studies.close(opened, coordinator)
    for late in (
        lambda: readers.allow_practice(Reader.objects.get(pk=ann.pk), coordinator),
        lambda: readers.set_deadline(opened, coordinator, [ann], date(2030, 1, 1), "R01"),
    ):
        with pytest.raises(Refused):
            late()
