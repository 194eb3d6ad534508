"""Planning from the pages of a lesion and of a result: what is shown, refused, undone, and who may."""

from datetime import date, time, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from skinclinic.engine import jobs
from skinclinic.forms.plans import due_after
from skinclinic.models import Biopsy, FollowUp, Lesion
from skinclinic.services import cases, follow_up_reminders, letters, plans
from skinclinic.vocabulary.days import months_later
from tests.cases import each

HTMX = {"HX-Request": "true"}


def today():
    return timezone.localdate()


@each(
    ("day", "months", "later"),
    [
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2026, 1, 31), 12, date(2027, 1, 31)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 6, 15), 6, date(2026, 12, 15)),
    ],
)
def test_months_later(day, months, later):
    assert months_later(day, months) == later


def test_six_weeks_are_42_days():
    assert due_after(date(2026, 11, 28), "6w") == date(2027, 1, 9)


class TestPages:
    def test_a_follow_up_is_planned_done_and_undone(self, client_for, clinician, photo):
        client = client_for(clinician)
        lesion = f"/lesions/{photo.lesion_id}/"
        for page in (lesion, f"/photos/{photo.pk}/"):
            assert "Nothing is planned." in client.get(page).content.decode()
        answer = client.post(f"{lesion}follow-up/", {"after": "3m", "note": "border"}, headers=HTMX)
        assert answer.status_code == 200 and "See again by" in answer.content.decode()
        step = FollowUp.objects.get()
        assert (step.due_on, step.note) == (months_later(today(), 3), "border")
        # Without scripts: back to where the form stood.
        page = f"http://testserver/photos/{photo.pk}/"
        answer = client.post(f"/follow-ups/{step.pk}/finish/", headers={"Referer": page})
        assert answer.status_code == 302 and answer.url == f"/photos/{photo.pk}/"
        assert "Marked as done" in client.get(page).content.decode()
        client.post(f"/follow-ups/{step.pk}/undo/", headers=HTMX)
        text = client.get(lesion).content.decode()
        assert "See again by" in text and "taken back by Clara" in text
        answer = client.post(f"/follow-ups/{step.pk}/undo/", headers=HTMX)
        assert "Nothing is planned." in answer.content.decode()
        answer = client.post(f"/follow-ups/{step.pk}/undo/", headers=HTMX)
        assert answer.status_code == 422 and "Something newer" in answer.content.decode()

    def test_a_biopsy_is_marked_with_who_took_it(self, client_for, clinician, curator, photo):
        client = client_for(clinician)
        sent = {"taken_on": today().isoformat(), "taken_by": curator.pk, "note": "punch 4 mm"}
        answer = client.post(f"/lesions/{photo.lesion_id}/biopsy/", sent, headers=HTMX)
        text = answer.content.decode()
        assert "by Curtis, result awaited" in text and "punch 4 mm" in text
        assert Biopsy.objects.get().taken_by == curator

    @each(
        ("path", "sent", "said"),
        [
            ("follow-up", {}, "Choose a date"),
            ("follow-up", {"after": "9y"}, "9y"),
            ("follow-up", {"due_on": "2020-01-01", "note": "kept"}, "future"),
            ("follow-up", {"due_on": "tomorrow"}, "valid date"),
            ("follow-up", {"after": "3m", "note": "a\nb"}, "one line"),
            ("biopsy", {}, "required"),
            ("biopsy", {"taken_on": "2199-01-01"}, "future"),
            ("biopsy", {"taken_on": "2024-01-01", "taken_by": "999999"}, "999999"),
            ("assign", {"assignee": "999999"}, "member of this clinic"),
            ("assign", {"assignee": "x"}, "member of this clinic"),
        ],
    )
    def test_bad_input_is_said_and_nothing_stored(self, client_for, clinician, photo, path, sent, said):
        answer = client_for(clinician).post(f"/lesions/{photo.lesion_id}/{path}/", sent, headers=HTMX)
        assert answer.status_code == 422 and said in answer.content.decode()
        assert not FollowUp.objects.exists() and not Biopsy.objects.exists()
        if sent.get("note") == "kept":
            assert 'value="kept"' in answer.content.decode()

    def test_a_case_is_assigned(self, client_for, clinician, curator, photo):
        client = client_for(clinician)
        client.post(f"/lesions/{photo.lesion_id}/assign/", {"assignee": curator.pk}, headers=HTMX)
        assert Lesion.objects.get(pk=photo.lesion_id).assignee == curator
        client.post(f"/lesions/{photo.lesion_id}/assign/", {"assignee": ""}, headers=HTMX)
        assert Lesion.objects.get(pk=photo.lesion_id).assignee is None

    def test_who_may_only_look_sees_it_and_changes_nothing(self, client_for, clinician, coordinator, photo):
        step = plans.see_again(photo.lesion, clinician, today() + timedelta(days=9))
        client = client_for(coordinator)
        page = client.get(f"/lesions/{photo.lesion_id}/").content.decode()
        assert "See again by" in page and "plan-follow-up" not in page
        assert client.post(f"/follow-ups/{step.pk}/finish/").status_code == 403


class TestApi:
    @pytest.fixture
    def api(self, client_for, clinician):
        client = client_for(clinician)

        def ask(method, path, **sent):
            more = {"data": sent, "content_type": "application/json"} if method != "get" else {}
            return getattr(client, method)(f"/api/{path}", **more)

        return ask

    def test_follow_ups_are_made_read_ended_and_undone(self, api, photo):
        due = (today() + timedelta(days=30)).isoformat()
        made = api("post", "follow-ups/", lesion=photo.lesion_id, due_on=due, note="border")
        assert made.status_code == 201, made.content
        pk = made.json()["id"]
        assert api("get", f"lesions/{photo.lesion_id}/").json()["follow_up_on"] == due
        assert (
            api("get", f"follow-ups/?lesion={photo.lesion_id}&open=true").json()["results"][0]["due_on"]
            == due
        )
        assert api("post", f"follow-ups/{pk}/finish/").json()["ended_how"] == "hand"
        again = api("post", f"follow-ups/{pk}/finish/")
        assert again.status_code == 409 and again.json()["error"]["code"] == "refused"
        assert api("post", f"follow-ups/{pk}/undo/").json()["ended_at"] is None
        past = api("post", "follow-ups/", lesion=photo.lesion_id, due_on="2020-01-01")
        assert past.status_code == 409 and past.json()["error"]["code"] == "due_on"
        assert api("post", "follow-ups/", lesion=photo.lesion_id).status_code == 400

    def test_biopsies_and_the_case_s_assignee(self, api, photo, clinician, curator, outsider):
        made = api(
            "post", "biopsies/", lesion=photo.lesion_id, taken_on=today().isoformat(), taken_by="curtis"
        )
        assert made.status_code == 201 and made.json()["taken_by"] == "curtis"
        lesion = api("get", f"lesions/{photo.lesion_id}/").json()
        assert lesion["biopsy_on"] == today().isoformat() and lesion["to_decide"] is True
        wrong = api(
            "post", "biopsies/", lesion=photo.lesion_id, taken_on=today().isoformat(), taken_by="oscar"
        )
        assert wrong.status_code == 400 and "taken_by" in wrong.json()["error"]["fields"]
        assigned = api("post", f"lesions/{photo.lesion_id}/assign/", assignee="clara")
        assert assigned.json()["assignee"] == "clara"
        assert api("post", f"lesions/{photo.lesion_id}/assign/", assignee="oscar").status_code == 400
        assert api("post", f"lesions/{photo.lesion_id}/assign/", assignee=None).json()["assignee"] is None


class TestReminders:
    @pytest.fixture
    def due(self, photo, clinician, settings, monkeypatch):
        """A follow-up that is due since yesterday, and a clock that says noon."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        settings.PUBLIC_ADDRESS = "https://skin.example.org"
        monkeypatch.setattr(follow_up_reminders, "FROM", time(0))
        step = plans.see_again(photo.lesion, clinician, today() + timedelta(days=1), "SECRET border")
        FollowUp.objects.update(due_on=today() - timedelta(days=1))
        return step

    def sent(self):
        follow_up_reminders.remind()
        jobs.run_waiting(letters.JOB)
        sent, mail.outbox = mail.outbox, []
        return sent

    def test_one_mail_for_each_due_day_with_a_count_and_a_link(self, due, photo, clinician, curator):
        (letter,) = self.sent()
        assert letter.to == ["clara@example.org"] and "1 follow-up is due" in letter.subject
        assert "https://skin.example.org/?show=follow-up&mine=1" in letter.body
        assert "SECRET" not in letter.body and photo.original_name not in letter.body
        assert self.sent() == []
        plans.see_again(photo.lesion, clinician, today() + timedelta(days=2))
        FollowUp.objects.filter(ended_at=None).update(due_on=today())
        cases.assign(photo.lesion, curator)
        (letter,) = self.sent()
        assert letter.to == ["curtis@example.org"]

    def test_a_result_that_does_not_come_is_mailed_once_and_marked(self, due, photo, clinician, client_for):
        self.sent()
        taken = plans.await_biopsy(photo.lesion, clinician, today() - Biopsy.LATE_AFTER + timedelta(days=1))
        assert self.sent() == [] and "result late" not in client_for(clinician).get("/?show=biopsy").text
        Biopsy.objects.filter(pk=taken.pk).update(taken_on=today() - Biopsy.LATE_AFTER)
        Lesion.objects.filter(pk=photo.lesion_id).update(biopsy_on=today() - Biopsy.LATE_AFTER)
        (letter,) = self.sent()
        assert letter.to == ["clara@example.org"] and "The result of 1 biopsy is late" in letter.subject
        assert "/?show=biopsy&mine=1" in letter.body and self.sent() == []
        assert "result late" in client_for(clinician).get("/?show=biopsy").text

    def test_who_has_left_is_not_mailed_an_admin_is(self, due, clinician, admin_user):
        clinician.memberships.update(is_active=False)
        (letter,) = self.sent()
        assert letter.to == ["ada@example.org"]

    def test_nothing_is_sent_at_night_without_mail_or_once_it_is_done(
        self, due, clinician, settings, monkeypatch
    ):
        monkeypatch.setattr(follow_up_reminders, "FROM", time.max)
        assert self.sent() == []
        monkeypatch.setattr(follow_up_reminders, "FROM", time(0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        assert self.sent() == []
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        plans.finish(due, clinician)
        assert self.sent() == []
