"""The demo's clinic, people, patients and analysed photos. A second run finds them and does nothing."""

import os
import secrets
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from classifier.models import Analysis
from classifier.services import demo, demo_archive, registry
from classifier.services.analyses import JOB
from skinclinic import jobs
from skinclinic.models import Clinic, Member, Role, User


class Command(BaseCommand):
    help = "Make the demo clinic with one person a role and a few patients; prints their passwords once."

    def handle(self, *args, **options):
        registry.register_shipped()
        if Clinic.objects.filter(slug=demo.SLUG).exists():
            self.stdout.write("the demo clinic is there already; its sign-ins were printed when it was made")
            return
        folder = os.environ.get("SKINCLINIC_DEMO_PHOTOS", "")
        if folder and not (Path(folder) / "metadata.csv").is_file():
            raise CommandError(f"SKINCLINIC_DEMO_PHOTOS={folder} holds no metadata.csv")
        passwords = {role: secrets.token_urlsafe(9) for role in Role.values}
        # All or nothing: a start that is interrupted here seeds from the beginning next time.
        with transaction.atomic():
            clinic = Clinic.objects.create(name="Demo clinic", slug=demo.SLUG, impression_first=False)
            users = {role: _make_user(clinic, role, password) for role, password in passwords.items()}
            if folder:
                demo.seed_real(clinic, users[Role.CLINICIAN], Path(folder), say=self.stdout.write)
            else:
                demo.seed_synthetic(clinic, users[Role.CLINICIAN])
                demo_archive.seed_archive(clinic, users[Role.CURATOR])
        for role, password in passwords.items():
            self.stdout.write(f"sign in: {role} {password}")
        self.stdout.write(f"analysing {Analysis.objects.filter(clinic=clinic).count()} photos")
        self.stdout.flush()
        jobs.run_waiting(JOB)


def _make_user(clinic: Clinic, role: str, password: str) -> User:
    user = User.objects.create_user(role, password=password, display_name=str(Role(role).label))
    Member.objects.create(clinic=clinic, user=user, role=role)
    return user
