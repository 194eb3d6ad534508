"""The demo's clinic, people, patients and photos, made once."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from classifier.demo import archive as demo_archive
from classifier.demo import photos as demo
from classifier.demo.plans import seed_plans
from classifier.demo.together import seed_together
from classifier.services.models import registry
from skinclinic.archive.formats.problems import TableRefused
from skinclinic.models import Clinic, Member, Role, User


class NoPhotos(Exception):
    """The folder of real photos is none; the message says why."""


def seed(say: Callable[[str], object]) -> Clinic:
    """Make the demo clinic and print its sign-ins, or find it. Raises NoPhotos."""
    registry.register_shipped()
    if clinic := Clinic.objects.filter(slug=demo.SLUG).first():
        say("the demo clinic is there already; its sign-ins were printed when it was made")
        return clinic
    folder = os.environ.get("SKINCLINIC_DEMO_PHOTOS", "")
    try:
        table = demo.table_of(Path(folder)) if folder else None
    except FileNotFoundError:
        raise NoPhotos(f"SKINCLINIC_DEMO_PHOTOS={folder} holds no metadata.csv") from None
    except (OSError, TableRefused) as error:
        raise NoPhotos(f"SKINCLINIC_DEMO_PHOTOS={folder}, metadata.csv: {error}") from error
    say("making the demo clinic")
    passwords = {role: secrets.token_urlsafe(9) for role in Role.values}
    # All or nothing: a start that is interrupted here seeds from the beginning next time. Slow as it is, it may lock
    # the database: nobody is there yet to wait.
    with transaction.atomic():
        clinic = Clinic.objects.create(name="Demo clinic", slug=demo.SLUG, impression_first=False)
        users = {role: _make_user(clinic, role, password) for role, password in passwords.items()}
        if table:
            demo.seed_real(clinic, users[Role.CLINICIAN], table, say=say)
        else:
            demo.seed_synthetic(clinic, users[Role.CLINICIAN])
            demo_archive.seed_archive(clinic, users[Role.CURATOR])
        seed_plans(clinic, users[Role.CLINICIAN])
        seed_together(clinic, users)
    for role, password in passwords.items():
        say(f"sign in: {role} {password}")
    return clinic


def _make_user(clinic: Clinic, role: str, password: str) -> User:
    user = User.objects.create_user(role, password=password, display_name=str(Role(role).label))
    Member.objects.create(clinic=clinic, user=user, role=role)
    return user
