"""Inviting readers, one or many; mailing links; reminding."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from reader_study.models import Reader, Study, StudyEvent
from reader_study.services import log
from reader_study.services.locking import lock
from reader_study.services.making import enrolment, progress
from reader_study.services.making.reader_lines import Wanted
from skinclinic.models import Letter, User
from skinclinic.services import letters
from skinclinic.services.refused import Refused
from skinclinic.services.secret_links import new_nonce
from skinclinic.web.counts import gettext as _

MOST_READERS = 500
PREVIEW = "preview"


@dataclass(frozen=True)
class Invited:
    """An enrolled reader with the link, which cannot be had again."""

    reader: Reader
    link: str
    # What a mail to the reader says, for those who send it themselves.
    subject: str = ""
    text: str = ""

    @property
    def mailed(self) -> bool:
        """Whether a letter with the link is on its way."""
        return self.reader.letter is not None


def invite(
    study: Study,
    wanted: Sequence[Wanted],
    user: User,
    address: Callable[[str], str],
    *,
    reason: str = "",
    mail: bool = True,
) -> list[Invited]:
    """Enrol readers, all or none, and have their links mailed if a server is set up. Raises Refused.

    ``address`` makes the link of a secret. In an open study it is an amendment and needs a reason.
    """
    with transaction.atomic():
        study = lock(study)
        if study.is_closed:
            raise Refused("state", _("The study is closed; nobody can read in it any more."))
        before = study.readers.counted().count()
        known = {email.casefold() for email in study.readers.counted().values_list("email", flat=True)}
        if again := next((one.email for one in wanted if one.email and one.email.casefold() in known), ""):
            raise Refused("email", _("%(email)s is invited already.") % {"email": again})
        if before + len(wanted) > MOST_READERS:
            raise Refused("lines", _("A study takes at most %(most)d readers.") % {"most": MOST_READERS})
        if study.is_open and not reason.strip():
            raise Refused(
                "reason", _("The study is open: say why readers are added. It is kept as an amendment.")
            )
        made = []
        for one in wanted:
            nonce = new_nonce()
            reader, secret = enrolment.enrol(
                study, group=one.group, by=user, name=one.name, email=one.email, years_of_practice=one.years,
                nonce=nonce, centre=one.centre, language=one.language,
            )  # fmt: skip
            if mail:
                _post_link(reader, address, nonce)
            made.append(_invited(reader, address(secret)))
        if study.is_open and made:
            log.note(
                study, StudyEvent.Kind.AMENDED, by=user, reason=reason, readers=[before, before + len(made)]
            )
    return made


@transaction.atomic
def renew(reader: Reader, user: User, address: Callable[[str], str]) -> Invited:
    """Give a reader a new link; the old one stops working. Raises Refused."""
    if reader.withdrawn_at:
        raise Refused("reader", _("This reader was withdrawn. Invite the person anew."))
    if reader.study.is_closed:
        raise Refused("state", _("The study is closed; nobody can read in it any more."))
    nonce = new_nonce()
    secret = enrolment.renew_link(reader, user, nonce)
    _post_link(reader, address, nonce)
    return _invited(reader, address(secret))


def _invited(reader: Reader, link: str) -> Invited:
    with spoken_to(reader):
        return Invited(reader, link, _subject(reader), invitation(reader, link))


def invitation(reader: Reader, link: str) -> str:
    """What a reader is invited by."""
    return render_to_string("studies/invitation_mail.txt", _words(reader, link=link))


def spoken_to(reader: Reader) -> AbstractContextManager:
    """In the language of the reader, or the one in use where none is known."""
    return translation.override(reader.language or translation.get_language())


def withdraw(reader: Reader, user: User, reason: str) -> None:
    """Close a reader's link; the answers stay but no longer count. Raises Refused."""
    if reader.withdrawn_at:
        raise Refused("reader", _("This reader was withdrawn already."))
    if reader.study.is_closed:
        raise Refused("state", _("The study is closed: who counts in it does not change any more."))
    if reader.study.is_open and not reason.strip():
        raise Refused("reason", _("Say why: the reason stands in the log for good."))
    enrolment.withdraw(reader, user, reason)


@transaction.atomic
def preview(study: Study, user: User) -> str:
    """Make the coordinator a reader who does not count; return the secret of the link. Raises Refused."""
    study = lock(study)
    if study.is_closed:
        raise Refused("state", _("The study is closed; it cannot be read any more."))
    if not study.images.exists():
        raise Refused("sample", _("There is nothing to read yet: draw a sample first."))
    study.readers.filter(is_preview=True).delete()
    group = study.groups.order_by("place").first()
    _reader, secret = enrolment.enrol(
        study, group=group, by=user, name=str(user), code=PREVIEW, is_preview=True
    )
    return secret


def _post_link(reader: Reader, address: Callable[[str], str], nonce: str) -> None:
    """Have the link mailed, if there is an address and a server; an earlier one is not sent any more."""
    letters.withdraw(reader.letter)
    with spoken_to(reader):
        reader.letter = _post(reader, invitation(reader, address(letters.SECRET)), nonce)
    reader.save(update_fields=["letter"])


def mail_again(reader: Reader) -> None:
    """Try again to send what could not be sent. Raises Refused."""
    unsent = [letter for letter in (reader.letter, reader.reminder) if letter and letter.has_failed]
    if not any([letters.retry(letter) for letter in unsent]):
        raise Refused("reader", _("There is nothing to send again. Make a new link instead."))


def reminder(line: progress.Line) -> str:
    """The text of a reminder, to send or to copy. The link itself is not known any more."""
    stage = next((stage for stage in line.stages if not stage.is_finished), None)
    with spoken_to(line.reader):
        return render_to_string("studies/reminder_mail.txt", _words(line.reader, stage=stage))


@transaction.atomic
def remind(line: progress.Line, user: User | None) -> bool:
    """Remind a reader who has not finished, by mail if that can be; return whether it can. Raises Refused."""
    reader = line.reader
    if reader.withdrawn_at or line.is_finished or not reader.study.is_open:
        raise Refused("reader", _("There is nothing to remind this reader of."))
    with spoken_to(reader):
        reader.reminder = _post(reader, reminder(line))
    reader.reminded_at = timezone.now()
    reader.save(update_fields=["reminder", "reminded_at"])
    is_mailed = reader.reminder is not None
    log.note(reader.study, StudyEvent.Kind.REMINDED, by=user, reader=reader, mailed=is_mailed)
    return is_mailed


@transaction.atomic
def allow_practice(reader: Reader, user: User) -> None:
    """Let a reader try the practice once more than the study allows. Raises Refused."""
    if reader.withdrawn_at or not reader.study.is_open:
        raise Refused("reader", _("This reader cannot practise any more."))
    Reader.objects.filter(pk=reader.pk).update(more_tries=F("more_tries") + 1)
    log.note(reader.study, StudyEvent.Kind.RETRY, by=user, reader=reader)


@transaction.atomic
def set_deadline(study: Study, user: User, chosen: Sequence[Reader], day: date | None, whom: str) -> int:
    """Give readers a day of their own, or take it away; how many changed. ``whom`` is what the log calls them."""
    study = lock(study)
    if study.is_closed:
        raise Refused("state", _("The study is closed; nobody can read in it any more."))
    pks = [reader.pk for reader in chosen]
    rows = study.readers.counted().filter(pk__in=pks).exclude(ends_on=day)
    if day is None:
        rows = study.readers.counted().filter(pk__in=pks, ends_on__isnull=False)
    changed = rows.update(ends_on=day)
    if changed:
        log.note(study, StudyEvent.Kind.DEADLINE, by=user, day=day.isoformat() if day else "", whom=whom)
    return changed


def _words(reader: Reader, **more) -> dict:
    return {"reader": reader, "study": reader.study, **more}


def _post(reader: Reader, text: str, nonce: str = "") -> Letter | None:
    return letters.post(reader.study.clinic, reader.email, _subject(reader), text, nonce=nonce)


def _subject(reader: Reader) -> str:
    return _("Reader study: %(name)s") % {"name": reader.study.name}
