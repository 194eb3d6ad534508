"""Inviting readers, one or many; mailing links; reminding."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from reader_study.models import Reader, ReaderGroup, Study, StudyEvent
from reader_study.services import log
from reader_study.services.locking import lock
from reader_study.services.making import enrolment, progress
from skinclinic.models import Letter, User
from skinclinic.services import letters
from skinclinic.services.refused import Refused
from skinclinic.services.secret_links import new_nonce
from skinclinic.web.inputs import storable

MOST_READERS, MOST_LINES, LONGEST_NAME, MOST_YEARS = 500, 200, 120, 70
PREVIEW = "preview"


@dataclass(frozen=True)
class Wanted:
    """A reader to invite."""

    name: str
    email: str
    group: ReaderGroup
    years: int | None = None


@dataclass(frozen=True)
class Invited:
    """An enrolled reader with the link, which cannot be had again."""

    reader: Reader
    link: str

    @property
    def mailed(self) -> bool:
        """Whether a letter with the link is on its way."""
        return self.reader.letter is not None


def read_lines(
    study: Study, text: str, default: ReaderGroup | None = None
) -> tuple[list[Wanted], list[tuple[int, str]]]:
    """Read lines "name, e-mail, group, years"; return what they say, and what is wrong by line number.

    Everything after the name may be left out; ``default`` is the group of those that name none.
    """
    groups = {}
    for group in study.groups.all():
        groups[group.name.casefold()] = groups[group.key.casefold()] = group
    known = {reader.email.casefold() for reader in study.readers.counted() if reader.email}
    found: list[Wanted] = []
    problems: list[tuple[int, str]] = []
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        return [], [(lines[MOST_LINES][0], _("More than %(most)d lines at once.") % {"most": MOST_LINES})]
    for number, line in lines:
        try:
            one = _wanted(_cells(line), groups, default)
            if one.email and one.email.casefold() in known:
                raise Refused("email", _("%(email)s is invited already.") % {"email": one.email})
        except Refused as refused:
            problems.append((number, str(refused)))
            continue
        if one.email:
            known.add(one.email.casefold())
        found.append(one)
    if not lines:
        problems.append((1, _("Write a line for each reader.")))
    return found, problems


def _cells(line: str) -> list[str]:
    delimiter = next((sign for sign in ("\t", ";", ",") if sign in line), ",")
    try:
        return [" ".join(cell.split()) for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except (csv.Error, StopIteration):
        raise Refused("", _("The line cannot be read; is a quote missing?")) from None


def _wanted(cells: list[str], groups: dict[str, ReaderGroup], default: ReaderGroup | None) -> Wanted:
    if len(cells) > 4:
        raise Refused("", _("More than four parts: name, e-mail, group, years of practice."))
    name, email, group_name, years = [*cells, "", "", "", ""][:4]
    if not name:
        raise Refused("name", _("The name is missing."))
    if len(name) > LONGEST_NAME or not storable(name) or not name.isprintable():
        raise Refused(
            "name", _("The name is longer than 120 characters or holds signs that cannot be stored.")
        )
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refused("email", _("“%(text)s” is no e-mail address.") % {"text": email[:80]}) from None
        if len(email) > 254:
            raise Refused("email", _("The e-mail address is too long."))
    group = groups.get(group_name.casefold()) if group_name else default
    if group is None:
        names = ", ".join(dict.fromkeys(one.name for one in groups.values()))
        if group_name:
            raise Refused(
                "group",
                _("There is no group “%(text)s”; there are: %(names)s.")
                % {"text": group_name[:80], "names": names},
            )
        raise Refused("group", _("The group is missing; there are: %(names)s.") % {"names": names})
    if years and not (years.isascii() and years.isdigit() and len(years) < 3 and int(years) <= MOST_YEARS):
        raise Refused("years", _("“%(text)s” is no number of years from 0 to 70.") % {"text": years[:80]})
    return Wanted(name, email, group, int(years) if years else None)


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
                nonce=nonce,
            )  # fmt: skip
            if mail:
                _post_link(reader, address, nonce)
            made.append(Invited(reader, address(secret)))
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
    return Invited(reader, address(secret))


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
    words = _words(reader, link=address(letters.SECRET))
    reader.letter = _post(reader, render_to_string("studies/invitation_mail.txt", words), nonce)
    reader.save(update_fields=["letter"])


def mail_again(reader: Reader) -> None:
    """Try again to send what could not be sent. Raises Refused."""
    unsent = [letter for letter in (reader.letter, reader.reminder) if letter and letter.has_failed]
    if not any([letters.retry(letter) for letter in unsent]):
        raise Refused("reader", _("There is nothing to send again. Make a new link instead."))


def reminder(line: progress.Line) -> str:
    """The text of a reminder, to send or to copy. The link itself is not known any more."""
    stage = next((stage for stage in line.stages if not stage.is_finished), None)
    return render_to_string("studies/reminder_mail.txt", _words(line.reader, stage=stage))


@transaction.atomic
def remind(line: progress.Line, user: User) -> bool:
    """Remind a reader who has not finished, by mail if that can be; return whether it can. Raises Refused."""
    reader = line.reader
    if reader.withdrawn_at or line.is_finished or not reader.study.is_open:
        raise Refused("reader", _("There is nothing to remind this reader of."))
    reader.reminder = _post(reader, reminder(line))
    reader.reminded_at = timezone.now()
    reader.save(update_fields=["reminder", "reminded_at"])
    is_mailed = reader.reminder is not None
    log.note(reader.study, StudyEvent.Kind.REMINDED, by=user, reader=reader, mailed=is_mailed)
    return is_mailed


def _words(reader: Reader, **more) -> dict:
    return {"reader": reader, "study": reader.study, **more}


def _post(reader: Reader, text: str, nonce: str = "") -> Letter | None:
    subject = _("Reader study: %(name)s") % {"name": reader.study.name}
    return letters.post(reader.study.clinic, reader.email, subject, text, nonce=nonce)
