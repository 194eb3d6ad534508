"""The first clinic of an installation and its first admin."""

import getpass
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from skinclinic.models import Member, Role, User
from skinclinic.services import audit
from skinclinic.services.people import create_clinic


class Command(BaseCommand):
    help = (
        "Make a clinic and an admin who invites the others. The password is asked for, or read from a pipe."
    )

    def add_arguments(self, parser):
        parser.add_argument("clinic", help="the clinic's name")
        parser.add_argument("admin", help="user name of its admin; an existing user keeps the password")

    def handle(self, *args, clinic: str, admin: str, **options):
        user = User.objects.filter(username=admin).first()
        if user is None:
            user = User(username=User.normalize_username(admin))
            # Hashed before anything is locked: that takes a while, which is what it is for.
            user.set_password(self._password(user))
        with transaction.atomic():
            made = create_clinic(clinic)
            if user._state.adding:
                user.save()
            member = Member.objects.create(clinic=made, user=user, role=Role.ADMIN)
            audit.record("member.join", member, after={"role": member.role})
        self.stdout.write(f"{made.name} ({made.slug}) with admin {user.username}")

    @staticmethod
    def _password(user: User) -> str:
        try:
            user.clean_fields(exclude=["password"])
            piped = not sys.stdin.isatty()
            password = sys.stdin.readline().rstrip("\n") if piped else getpass.getpass("Password: ")
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        return password
