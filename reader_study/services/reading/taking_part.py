"""A reader's consent, what readers tell of themselves, and the end of taking part by their own wish."""

from django.db import transaction
from django.utils import timezone

from reader_study.models import Reader, ReaderAbout, ReaderConsent, Study, StudyEvent
from reader_study.services import log
from reader_study.services.locking import lock
from reader_study.services.making import texts
from reader_study.services.reading.refusals import Refused

Decision = ReaderConsent.Decision


def consent_of(reader: Reader) -> ReaderConsent | None:
    """The reader's newest decision."""
    return reader.consents.order_by("-pk").first()


def needs_consent(reader: Reader) -> bool:
    """Whether the reader must still say yes or no: never asked, or asked about another text."""
    if not reader.study.asks_consent:
        return False
    newest = consent_of(reader)
    return (
        newest is None
        or newest.decision != Decision.ACCEPTED
        or newest.version != texts.consent_version(reader.study)
    )


def require_consent(reader: Reader) -> None:
    """Raise Refused unless the reader takes part."""
    if needs_consent(reader):
        raise Refused("consent")


@transaction.atomic
def decide(reader: Reader, *, accepts: bool, version: str, language: str) -> None:
    """Keep the reader's yes or no to the text of ``version``. A no ends taking part, like a withdrawal.

    Raises Refused when the text has changed since it was shown.
    """
    study = lock(reader.study)
    if not study.asks_consent or not needs_consent(reader):
        return
    if version != texts.consent_version(study):
        raise Refused("consent_changed")
    _keep(reader, study, Decision.ACCEPTED if accepts else Decision.REFUSED, language)
    if accepts:
        if not reader.is_preview:
            log.note(study, StudyEvent.Kind.CONSENTED, reader=reader, version=version)
    else:
        _leave(reader, study, "refused")


@transaction.atomic
def withdraw(reader: Reader, language: str) -> None:
    """The reader takes no part any more: the link closes, the answers are kept and do not count."""
    study = lock(reader.study)
    if study.is_closed:
        raise Refused("closed")
    if study.asks_consent:
        _keep(reader, study, Decision.WITHDRAWN, language)
    _leave(reader, study, "withdrawn")


def _keep(reader: Reader, study: Study, decision: str, language: str) -> None:
    ReaderConsent.objects.create(
        reader=reader,
        decision=decision,
        version=texts.consent_version(study),
        language=language,
        text=texts.in_language(study, texts.CONSENT, language),
    )


def _leave(reader: Reader, study: Study, how: str) -> None:
    if reader.is_preview:
        return
    Reader.objects.filter(pk=reader.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
    log.note(study, StudyEvent.Kind.WITHDRAWN, reader=reader, by_reader=how)


def how_left(reader: Reader) -> str:
    """How the reader ended taking part by an own decision: "refused", "withdrawn" or ""."""
    rows = StudyEvent.objects.filter(reader=reader, kind=StudyEvent.Kind.WITHDRAWN)
    row = rows.first() if reader.withdrawn_at else None
    return row.details.get("by_reader", "") if row else ""


def may_tell(reader: Reader) -> bool:
    """Whether what the reader tells may still be given or changed: until the last session is finished."""
    return reader.study.asks_about_reader and reader.readings.filter(finished_at=None).exists()


def tell(reader: Reader, **said) -> None:
    """Keep what a reader says of himself or herself. Raises Refused when it is too late."""
    if not may_tell(reader):
        raise Refused("told_too_late")
    ReaderAbout.objects.update_or_create(reader=reader, defaults=said)
