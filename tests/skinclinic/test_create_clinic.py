"""The command that makes an installation's first clinic."""

import io

import pytest
from django.core.management import CommandError, call_command

from skinclinic.models import Clinic, Member, User

pytestmark = pytest.mark.django_db


def create(monkeypatch, password: str, admin: str = "ada") -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    call_command("create_clinic", "Seoul Skin", admin, stdout=io.StringIO())


def test_clinic_with_its_admin(monkeypatch):
    create(monkeypatch, "correct horse battery")
    member = Member.objects.get()
    assert (member.clinic.name, member.user.username, member.role) == ("Seoul Skin", "ada", "admin")
    assert member.user.check_password("correct horse battery")
    assert member.clinic.impression_first


def test_a_second_clinic_of_the_same_person_keeps_the_password(monkeypatch):
    create(monkeypatch, "correct horse battery")
    create(monkeypatch, "")
    assert User.objects.get().check_password("correct horse battery")
    assert Clinic.objects.count() == 2


@pytest.mark.parametrize(
    ("password", "admin"),
    [("short", "ada"), ("12345678901", "ada"), ("long " * 26, "ada"), ("long enough pw", "a b")],
)
def test_refused_passwords_and_names_make_nothing(monkeypatch, password, admin):
    with pytest.raises(CommandError):
        create(monkeypatch, password, admin)
    assert not Clinic.objects.exists()
