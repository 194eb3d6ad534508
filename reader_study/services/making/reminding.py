"""Reminders that go out by themselves, where a study asks for them and a mail server is set up."""

import logging
from datetime import timedelta

from django.db.models import Q

from reader_study.models import Study
from reader_study.services.making import progress, readers
from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.services.mail import can_mail
from skinclinic.services.refused import Refused

log = logging.getLogger(__name__)
LOOKS_EVERY = timedelta(hours=6)


@broom
def remind_by_itself() -> None:
    """Remind everybody who has not answered for as many days as the study says."""
    now = clock.now()
    due = Q(reminders_at=None) | Q(reminders_at__lt=now - LOOKS_EVERY)
    waiting = Study.objects.filter(due, state=Study.State.OPEN, reminds_every__isnull=False)
    if not waiting.exists() or not can_mail():
        return
    for study in waiting.select_related("clinic"):
        # Whoever changes the row looks; another sweeper finds it looked at.
        if Study.objects.filter(due, pk=study.pk).update(reminders_at=now):
            remind_study(study)


def remind_study(study: Study) -> int:
    """Remind its readers who are due; how many were."""
    before = clock.now() - timedelta(days=study.reminds_every or 0)
    reminded = 0
    for line in progress.of(study, with_withdrawn=False):
        reader = line.reader
        reader.study = study
        seen = [reader.created_at, reader.last_seen_at, reader.reminded_at, study.opened_at]
        is_waiting = any(stage.begins_at for stage in line.stages)
        if not reader.email or line.is_finished or is_waiting or max(filter(None, seen)) > before:
            continue
        try:
            reminded += readers.remind(line, None)
        except Refused as refused:
            log.info("no reminder for %s: %s", reader.code, refused)
    return reminded
