"""A web process whose clock is hours off, beside one whose clock is right: what both write goes together."""

import time
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classifier.services.analysis import assessments
from skinclinic.engine import clock
from skinclinic.models import ApiToken, Invitation, Lesion, PasswordLink, Session
from skinclinic.presenters import opinions
from skinclinic.services import attention, cases, emails, password_links, second_opinions, tokens
from tests import factories, results

pytestmark = pytest.mark.django_db
HOURS_OFF = (timedelta(hours=2), timedelta(hours=-2))
SECOND = timedelta(seconds=1)
real_time = time.time


@pytest.fixture(autouse=True)
def nothing_known():
    clock.forget()
    yield
    clock.forget()


@contextmanager
def wrong(by: timedelta, *, is_known: bool = True):
    """This process's clock is ahead by so much; ``is_known``: it has connected to the database since."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "datetime", Wrong)
        patch.setattr(time, "time", lambda: real_time() + by.total_seconds())
        if is_known:
            clock.learn(datetime.now(tz=timezone.get_default_timezone()))
        yield
    clock.forget()


def decide(user, analysis):
    seen = assessments.stand(assessments.of(user, analysis))
    shown_by = analysis.model_version.threshold_sets.first()
    assessments.decide(user, analysis, "agree", seen=seen, threshold_set=shown_by, listed=("bcc",))


@pytest.mark.parametrize("off", HOURS_OFF)
def test_a_case_is_decided_by_what_came_last_whichever_process_wrote_it(clinic, clinician, photo, off):
    analysis = results.finished(photo, clinician)
    with wrong(off):
        decide(clinician, analysis)
    assert not Lesion.objects.get().to_decide
    with wrong(-off):
        newer = factories.make_photo(clinic, clinician, seed=2, lesion=photo.lesion)
    assert Lesion.objects.get().to_decide
    again = results.finished(newer, clinician)
    with wrong(off):
        decide(clinician, again)
    cases.refresh(photo.lesion)
    assert not Lesion.objects.get().to_decide


@pytest.mark.parametrize("off", HOURS_OFF)
def test_what_a_colleague_answered_shows_whichever_process_the_question_came_by(
    clinic, clinician, photo, off
):
    colleague = factories.make_member(clinic, "clinician", "colleague")
    analysis = results.finished(photo, clinician)
    with wrong(off):
        second_opinions.ask_member(photo.lesion, clinician, colleague, "Excise?")
    decide(colleague, analysis)
    member = clinician.memberships.select_related("clinic").get()
    (asked,) = opinions.panel_of(photo.lesion, member, clinician)["asked"]
    assert asked.decision


@pytest.mark.parametrize("off", HOURS_OFF)
def test_what_lets_somebody_in_ends_when_it_was_said_to(clinic, clinician, admin_user, client_for, off):
    secret, browser = factories.make_token(clinician), client_for(clinician)
    link = password_links.make(clinician.memberships.get(), admin_user)[1]
    invitation = Invitation.objects.create(
        clinic=clinic, email="new@example.org", role="clinician", invited_by=admin_user,
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    an_hour_left = timezone.now() + timedelta(hours=1)
    ApiToken.objects.update(expires_at=an_hour_left)
    with wrong(off):
        assert tokens.find(secret).owner == clinician and password_links.find(link).user == clinician
        assert browser.get(reverse("account")).status_code == 200
        assert invitation.expires_at > timezone.now()
        other = Client()
        other.force_login(clinician, backend="django.contrib.auth.backends.ModelBackend")
    assert other.get(reverse("account")).status_code == 200 and Session.objects.living().count() == 2
    an_hour_ago = timezone.now() - timedelta(hours=1)
    ApiToken.objects.update(expires_at=an_hour_ago)
    PasswordLink.objects.update(expires_at=an_hour_ago)
    Session.objects.update(used_at=an_hour_ago)
    with wrong(off):
        with pytest.raises(tokens.NotAccepted):
            tokens.find(secret)
        with pytest.raises(password_links.LinkGone):
            password_links.find(link)
        assert browser.get(reverse("account")).status_code == 302


def test_a_link_for_a_new_address_lasts_a_day_by_the_databases_clock(clinician, monkeypatch):
    sent: list[str] = []
    monkeypatch.setattr(emails.mail, "can_mail", lambda: True)
    with wrong(timedelta(hours=-30)):
        emails.change(clinician, "new@example.org", lambda secret: sent.append(secret) or secret)
    assert emails.email_of(sent[0]) == "new@example.org"
    with wrong(timedelta(hours=30)):
        assert emails.email_of(sent[0]) == "new@example.org"
    with wrong(timedelta(hours=30), is_known=False), pytest.raises(emails.LinkGone):
        emails.email_of(sent[0])


def test_a_clock_that_is_put_on_or_back_is_put_right_at_once_and_small_differences_are_left(caplog):
    known = timezone.now()
    clock.learn(known)
    for by in (3600, -3600, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda by=by: real_time() + by)
            assert abs(clock.known_ahead() - by) < 1
    clock.learn(timezone.now() + 0.6 * SECOND)
    assert clock.known_ahead() == 0
    clock.learn(timezone.now() - 5 * SECOND, took=6)
    assert clock.known_ahead() == 0 and not caplog.records
    clock.learn(known - 100 * SECOND)
    clock.learn(known - 100 * SECOND)
    assert [one.getMessage()[:55] for one in caplog.records] == [
        "this machine's clock and the database's are 100 s apart"
    ]


def test_a_new_connection_tells_what_time_it_is(db):
    with wrong(timedelta(hours=2), is_known=False):
        another = connection.copy()
        another.connect()
        another.close()
        assert (clock.known_ahead() == 0) is (connection.vendor == "sqlite")
        there, here = clock.now(), timezone.now()
        # SQLite has no clock but this machine's; here Python alone is deceived.
        expected = timedelta(hours=2) if connection.vendor == "sqlite" else timedelta()
        assert abs(here - there - expected) < 5 * SECOND


def test_admins_are_told_of_a_web_servers_clock_that_is_minutes_off(clinic):
    for off, told in ((timedelta(seconds=30), 0), (timedelta(minutes=-7), 1)):
        with wrong(off):
            assert len([one for one in attention.items(clinic) if "is 7 min wrong" in one.words]) == told
