"""Tokens of programs: shown once, kept as hashes, ending; service accounts."""

import io
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from skinclinic.models import ApiToken, AuditEvent, Letter, Member, User
from skinclinic.services import cases, former_tables, people, secret_links, token_reminders, tokens
from skinclinic.services.refused import Refused
from tests import factories
from tests.skinclinic.pages import messages_of, url

pytestmark = pytest.mark.django_db

SENT = {"name": "PACS on ward 3", "scope": "write", "days": "30", "clinic": "*"}


def program(key: str) -> Client:
    return Client(headers={"Authorization": f"Token {key}"})


def said_to(key: str) -> tuple[int, str]:
    response = program(key).get("/api/me/")
    return response.status_code, response.json().get("error", {}).get("code", "")


def test_a_token_is_shown_once_and_kept_as_a_hash(client_for, clinician, clinic):
    client = client_for(clinician)
    made = client.post(url("tokens"), SENT)
    key = made.context["key"]
    assert key.startswith("skc_") and key in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    for name, said in (("tokens", "PACS on ward 3"), ("account", "1 works at present")):
        page = client.get(url(name)).content.decode()
        assert said in page and key not in page
    client.cookies["django_language"] = "ko"
    assert "30일" in client.get(url("tokens")).content.decode()
    client.cookies["django_language"] = "en"
    row = ApiToken.objects.values().get()
    assert key not in map(str, row.values()) and row["sha256"] == secret_links.secret_hash(key)
    assert timedelta(days=29) < row["expires_at"] - timezone.now() < timedelta(days=30)
    assert said_to(key) == (200, "")
    with_bearer = Client(headers={"Authorization": f"Bearer {key}"})
    assert with_bearer.get("/api/me/").status_code == 200
    # Another beside it; each ends alone.
    other = client.post(url("tokens"), SENT | {"name": "Notebook", "clinic": clinic.slug}).context["key"]
    client.post(url("token-revoke", row["id"]))
    assert said_to(key) == (401, "token_revoked") and said_to(other) == (200, "")
    assert "did not work" in messages_of(client.post(url("token-revoke", row["id"])))
    # Among those that work no more, out of the way.
    page = client.get(url("tokens"))
    assert [token.name for token in page.context["tokens"]["rows"]] == ["Notebook"]
    assert "1 that works no more" in page.content.decode()


def test_a_token_ends(client_for, clinician, clinic, other_clinic, subtests):
    Member.objects.create(clinic=other_clinic, user=clinician, role="clinician")
    member = Member.objects.get(user=clinician, clinic=clinic)

    def expire():
        ApiToken.objects.update(expires_at=timezone.now())

    def change_password():
        clinician.set_password("a river of cold milk")
        clinician.save()

    def take_access():
        people.change_member(member, is_active=False)
        people.change_member(member, is_active=True)

    def leave():
        clinician.is_active = False
        clinician.save()

    for what, code in {
        expire: "token_expired", change_password: "token_revoked", take_access: "token_revoked",
        lambda: tokens.revoke_all(clinician, "everywhere"): "token_revoked", leave: "token_unknown",
    }.items():  # fmt: skip
        keys = [factories.make_token(clinician), factories.make_token(clinician, clinic=clinic)]
        elsewhere = factories.make_token(clinician, clinic=other_clinic)
        assert {said_to(key)[0] for key in keys} == {200}
        what()
        with subtests.test(what=what.__name__):
            assert [said_to(key) for key in keys] == [(401, code)] * 2
            assert said_to(elsewhere)[0] == (200 if what is take_access else 401)


def test_signing_in_with_an_older_hash_of_the_password_ends_no_token(clinician, settings, client):
    key = factories.make_token(clinician)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = clinician.password
    client.post(url("login"), {"username": "clara", "password": factories.PASSWORD})
    clinician.refresh_from_db()
    assert clinician.password != before and said_to(key) == (200, "")


def test_when_it_was_last_used_is_noted_once_a_minute_after_the_answer(
    clinician, django_assert_max_num_queries
):
    key = factories.make_token(clinician)
    program(key).get("/api/me/")
    first = ApiToken.objects.get().last_used_at
    assert timezone.now() - first < timedelta(minutes=1)
    program(key).get("/api/me/")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    program(key).get("/api/me/")
    assert ApiToken.objects.get().last_used_at > first
    assert said_to("skc_nonsense") == (401, "token_unknown")


def test_one_view_alone_is_asked_by_post_and_changes_nothing():
    views = [getattr(one, "view_class", getattr(one, "cls", None)) for one in views_of(get_resolver())]
    reading = {view.__name__ for view in views if getattr(view, "only_reads", ())}
    assert len(views) > 300 and reading == {"Match"}


def views_of(resolver):
    for one in resolver.url_patterns:
        yield from views_of(one) if isinstance(one, URLResolver) else [one.callback]


def test_what_is_done_with_tokens_is_written_down(clinician, clinic):
    key = factories.make_token(clinician, clinic=clinic, scope="read")
    for _ in range(3):
        assert program(key).post("/api/patients/", {"code": "X"}).status_code == 403
    tokens.revoke_all(clinician, "everywhere", by=clinician)
    assert said_to(key)[0] == 401
    ApiToken.objects.update(last_refused_at=None)
    assert said_to(key)[0] == 401
    rows = AuditEvent.objects.filter(action__startswith="token.").order_by("id")
    assert [row.action for row in rows] == ["token.make", "token.refused", "token.revoke", "token.refused"]
    assert {row.clinic_key for row in rows} == {clinic.pk}
    assert not [row for row in rows if key in f"{row.details} {row.subject_name}"]


@pytest.mark.parametrize("nasty", ["", " ", "x" * 300, "é", "\x7f", "a b", "skc_" + "a" * 43])
def test_what_is_no_token_opens_nothing(db, nasty):
    assert Client(headers={"Authorization": f"Token {nasty}"}).get("/api/me/").status_code == 401


@pytest.mark.parametrize("header", ["Basic Y2xhcmE6eA==", "Tokenx skc_1", "x"])
def test_what_says_who_asks_in_another_way_is_not_passed_on_to_the_session(client_for, clinician, header):
    answer = client_for(clinician).get("/api/me/", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_a_token")


def test_forms_refuse_what_makes_no_sense(client_for, clinician, other_clinic, subtests):
    client = client_for(clinician)
    wrong = [{"name": nasty} for nasty in ("", "\x00", "x" * 81, "a\nb", "a\u202eb")] + [
        {"scope": "admin"}, {"days": "0"}, {"days": "366"}, {"days": "soon"}, {"clinic": other_clinic.slug},
        {"name": tokens.BY_PASSWORD},
    ]  # fmt: skip
    for sent in wrong:
        with subtests.test(sent=str(sent)[:40]):
            answer = client.post(url("tokens"), SENT | sent)
            assert answer.status_code == 422 and next(iter(sent)) in answer.context["tokens"]["form"].errors
    assert not ApiToken.objects.exists()
    with pytest.raises(Refused):
        tokens.make(clinician, tokens.Wanted("x", "read", None, timedelta(days=366)), by=clinician)


def test_nobody_has_more_tokens_than_can_be_read(client_for, clinician, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    client = client_for(clinician)
    assert [client.post(url("tokens"), SENT).status_code for _ in range(2)] == [200, 422]


def test_nobody_revokes_a_strangers_token(client_for, clinician, curator, admin_user, clinic):
    everywhere, here = factories.make_token(clinician), factories.make_token(clinician, clinic=clinic)
    of_all, of_clinic = ApiToken.objects.order_by("id")
    assert client_for(curator).post(url("token-revoke", of_all.pk)).status_code == 404
    assert client_for(curator).post(url("clinic-token-revoke", of_clinic.pk)).status_code == 403
    admin = client_for(admin_user)
    page = admin.get(url("service-accounts")).content.decode()
    assert of_clinic.begins in page and of_all.begins not in page
    assert admin.post(url("clinic-token-revoke", of_all.pk)).status_code == 404
    assert admin.post(url("clinic-token-revoke", of_clinic.pk)).status_code == 302
    assert (said_to(everywhere)[0], said_to(here)) == (200, (401, "token_revoked"))
    of_clinic.refresh_from_db()
    assert (of_clinic.revoked_by, of_clinic.revoked_why) == (admin_user, "admin")
    assert "revoked by an admin" in client_for(clinician).get(url("tokens")).content.decode()


def test_a_password_is_given_for_a_token_of_a_day(client, clinician, clinic, other_clinic):
    sent = {"username": "clara", "password": factories.PASSWORD}
    answer = client.post("/api/token/", sent, "application/json")
    assert answer["Cache-Control"] == "no-store"
    assert said_to(answer.json()["token"]) == (200, "")
    again = client.post(
        "/api/token/", sent | {"scope": "read", "clinic": clinic.slug}, "application/json"
    ).json()
    assert again["token"] != answer.json()["token"] and (again["scope"], again["clinic"]) == (
        "read",
        clinic.slug,
    )
    first = ApiToken.objects.earliest("id")
    assert first.expires_at - timezone.now() <= timedelta(days=1)
    for wrong in ({"scope": "all"}, {"clinic": other_clinic.slug}, {"clinic": ["x"]}, {"password": ""}):
        assert client.post("/api/token/", sent | wrong, "application/json").status_code == 400
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(days=31))
    ApiToken.objects.filter(pk=first.pk).update(name="PACS")
    tokens.forget_old_tokens()
    assert ApiToken.objects.get() == first, "one with a name is kept for a year"


def test_wrong_passwords_lock_as_on_the_page(client, clinician):
    def ask(password):
        return client.post("/api/token/", {"username": "clara", "password": password}, "application/json")

    assert ask("wrong").json()["error"]["code"] == "wrong_password"
    for _attempt in range(6):
        ask("wrong")
    locked = ask(factories.PASSWORD)
    assert locked.status_code == 429 and int(locked["Retry-After"]) > 0
    assert locked.json()["error"]["code"] == "locked"
    assert not ApiToken.objects.exists()


def test_a_service_account_comes_by_tokens_only(client_for, admin_user, clinic, client):
    admin = client_for(admin_user)
    assert admin.post(url("service-accounts"), {"name": "PACS", "role": "admin"}).status_code == 422
    made = admin.post(url("service-accounts"), {"name": "PACS", "role": "clinician"})
    member = Member.objects.get(user__service_of=clinic)
    assert made.url == url("service-account", member.pk)
    shown = admin.post(made.url, {"name": "Import", "scope": "write", "days": "90"})
    key = shown.context["key"]
    assert shown["Cache-Control"] == "no-store" and key not in admin.get(made.url).content.decode()
    answer = program(key).post("/api/patients/", {"code": "S-1"}, "application/json")
    assert answer.status_code == 201
    assert "PACS (service account)" in admin.get(url("members")).content.decode()
    listed = admin.get("/api/members/").json()["results"]
    assert [row["id"] for row in listed if row["is_service"]] == [member.pk]
    user = User.objects.get(pk=member.user_id)
    for password in ("", "!", user.password, factories.PASSWORD):
        client.post(url("login"), {"username": user.username, "password": password})
        assert "_auth_user_id" not in client.session
    assert user not in cases.members_of(clinic)
    with pytest.raises(Refused):
        people.change_member(member, role="admin")
    with pytest.raises(Refused):
        tokens.make(user, tokens.Wanted("x", "read"), by=admin_user)
    assert "cannot be an admin" in messages_of(
        admin.post(url("member-edit", member.pk), {"role": "admin"}, follow=True)
    )
    assert "· 1 token" in admin.get(url("service-accounts")).content.decode()
    people.change_member(member, is_active=False)
    assert said_to(key) == (401, "token_revoked")
    assert "· no token" in admin.get(url("service-accounts")).content.decode()
    assert admin.get(made.url).status_code == 200
    person = Member.objects.get(user=admin_user)
    assert admin.get(url("service-account", person.pk)).status_code == 404


def test_a_password_set_on_the_server_ends_tokens_too(clinician, monkeypatch):
    key = factories.make_token(clinician)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "a river of cold milk")
    call_command("changepassword", "clara", stdout=io.StringIO())
    assert said_to(key) == (401, "token_revoked")


def test_tokens_of_before_work_on_as_hashes(clinician, monkeypatch):
    take_over = import_module("skinclinic.migrations.0019_tokens_of_before").take_over
    editor = SimpleNamespace(connection=connection)
    take_over(apps, editor)  # nothing there: nothing done
    key = "0123456789abcdef0123456789abcdef01234567"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE authtoken_token (key varchar(40), created timestamp, user_id integer)")
        cursor.execute(
            "INSERT INTO authtoken_token VALUES (%s, '2025-03-01 10:00:00', %s)", [key, clinician.pk]
        )
    take_over(apps, editor)
    # The version of before may go on reading it for an hour; then the tokens themselves are nowhere.
    monkeypatch.setattr(former_tables._Seen, "gone", False)
    applied = MigrationRecorder(connection).migration_qs.filter(name="0019_tokens_of_before")
    applied.update(applied=timezone.now())
    former_tables.drop()
    assert "authtoken_token" in connection.introspection.table_names()
    applied.update(applied=timezone.now() - timedelta(hours=2))
    former_tables.drop()
    assert "authtoken_token" not in connection.introspection.table_names()
    row = ApiToken.objects.get()
    assert (row.name, row.created_at.year, row.begins) == ("from before", 2025, "0123")
    assert timedelta(days=89) < row.expires_at - timezone.now() < timedelta(days=91)
    assert said_to(key) == (200, "")


def test_the_owner_is_told_once_two_weeks_before_one_ends(clinic, clinician, admin_user, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    now = timezone.now()
    service = tokens.make_service_account(clinic, name="PACS", role="clinician").user
    cases = [
        (clinician, 13, 90),
        (clinician, 15, 90),
        (clinician, 7, 7),
        (service, 10, 365),
        (clinician, -1, 90),
    ]
    for owner, left, lasted in cases:
        factories.make_token(owner, clinic=clinic)
        ApiToken.objects.filter(pk=ApiToken.objects.latest("pk").pk).update(
            name=f"{left} left", created_by=admin_user, expires_at=now + timedelta(days=left),
            created_at=now + timedelta(days=left - lasted),
        )  # fmt: skip
    for _round in range(2):
        token_reminders.remind()
    told = {(letter.address, letter.subject.split("”")[0]) for letter in Letter.objects.all()}
    assert told == {(clinician.email, "The token “13 left"), (admin_user.email, "The token “10 left")}
    assert Letter.objects.count() == 2
