"""The demo's clinic, people, patients, analysed photos and reader studies. A second run finds them and does nothing.

They are made in ``classifier/demo`` and ``reader_study/demo``; this says in which order.
"""

import os

from django.core.management.base import BaseCommand, CommandError

from classifier.demo import clinic as demo_clinic
from classifier.models import Analysis
from classifier.services.analysis.analyses import JOB
from reader_study.demo import studies as demo
from reader_study.services.results import results
from skinclinic.engine import jobs
from skinclinic.management.terminal import Tells


class Command(Tells, BaseCommand):
    help = "Make the demo clinic with one person a role, a few patients and two reader studies; prints sign-ins once."

    def handle(self, *args, **options):
        try:
            clinic = demo_clinic.seed(self.say)
        except demo_clinic.NoPhotos as error:
            raise CommandError(str(error)) from None
        waiting = Analysis.objects.filter(clinic=clinic, scores__isnull=True).count()
        self.say(f"analysing {waiting} photos")
        jobs.run_waiting(JOB)
        secret = demo.seed_studies(clinic)
        jobs.run_waiting(results.JOB)
        if secret:
            address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/reading/{secret}/"
            self.say(f"read a study of {demo.OPEN_PHOTOS} photos without signing in: {address}")
