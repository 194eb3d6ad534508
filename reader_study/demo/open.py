"""The demo's open study: drawings that a newcomer reads by a link, as a reader of any study would."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classifier.models import ModelVersion
from reader_study.asked import MANAGEMENT
from reader_study.models import ReaderGroup, Study, StudyEvent, StudyImage, StudySession
from reader_study.services import log
from reader_study.services.making import enrolment, operating, protocol, reference, studies
from skinclinic.models import Clinic, User

NAME = "Read it yourself: 24 drawings"
_OWN_LANGUAGE = "en"
QUESTION = _("Which of the 12 diagnoses fits this drawing best?")
INSTRUCTIONS = _(
    "These are drawings by a program, not photos of patients. Choose one of the 12 diagnoses for each, and say whether "
    "you would take a biopsy. Two drawings to practise come first and do not count; you are told what they show. You "
    "may stop and come back with the same link.\n\nIn a second session the same drawings come once more, with the "
    "answer of the demo's model after your own."
)
CONSENT = _(
    "This is a demonstration: your answers stay on this installation and are used for nothing. A real study says here "
    "what it is for, what is stored, and that you may stop at any time."
)


def make(clinic: Clinic, user: User, images: Sequence[StudyImage], model: ModelVersion, recipe: dict) -> str:
    """``images``: the sample with the model's scores, not saved yet; returns the secret of its reader's link."""
    study = Study(
        clinic=clinic, name=NAME, is_synthetic=True, model_version=model, created_by=user, recipe=recipe,
        description="Drawings of the 12 diseases, for trying out how a study is read.", shown_facts=["age", "sex"],
        management_choices=list(MANAGEMENT[:2]), offers_cannot_judge=True, asks_consent=True, asks_about_reader=True,
        practice_feedback=True, shows_own_result=True,
    )  # fmt: skip
    study.question, study.question_in = _spoken(QUESTION)
    study.instructions, study.instructions_in = _spoken(INSTRUCTIONS)
    study.consent_text, study.consent_in = _spoken(CONSENT)
    study.threshold_set = operating.default_for(study, model)
    study.save()
    StudySession.objects.create(study=study, number=1, key=studies.UNAIDED)
    StudySession.objects.create(study=study, number=2, key=studies.AIDED, is_aided=True)
    for image in images:
        image.study = study
    StudyImage.objects.bulk_create(images)
    group = ReaderGroup.objects.create(study=study, key="visitors", name="Visitors")
    _reader, secret = enrolment.enrol(study, group=group, by=user, name="Visitor")
    study.thresholds = operating.copy(study, operating.overlap(study))
    reference.fix(study)
    study.state, study.opened_at, study.opened_by = Study.State.OPEN, timezone.now(), user
    protocol.fix(study)
    study.save()
    log.note(study, StudyEvent.Kind.OPENED, by=user, protocol_sha256=study.protocol_sha256)
    return secret


def _spoken(text: Promise) -> tuple[str, dict[str, str]]:
    """The text, and what it is in further languages."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found[code] = str(text)
    own = found.pop(_OWN_LANGUAGE)
    return own, {code: other for code, other in found.items() if other != own}
