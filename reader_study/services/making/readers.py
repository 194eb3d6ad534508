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
from reader_study.services.refused import Refused
from skinclinic.models import User
from skinclinic.services.mail import send
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
    """An enrolled reader with the link, which cannot be had again, and whether it was mailed."""

    reader: Reader
    link: str
    mailed: bool = False


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
    """Enrol readers, all or none, and mail their links if a server is set up. Raises Refused.

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
        made = [
            enrolment.enrol(
                study, group=one.group, by=user, name=one.name, email=one.email, years_of_practice=one.years
            )
            for one in wanted
        ]
        if study.is_open and made:
            log.note(
                study, StudyEvent.Kind.AMENDED, by=user, reason=reason, readers=[before, before + len(made)]
            )
    found = []
    for reader, secret in made:
        link = address(secret)
        found.append(Invited(reader, link, mail and mail_link(reader, link)))
    return found


def renew(reader: Reader, user: User, address: Callable[[str], str]) -> Invited:
    """Give a reader a new link; the old one stops working. Raises Refused."""
    if reader.withdrawn_at:
        raise Refused("reader", _("This reader was withdrawn. Invite the person anew."))
    if reader.study.is_closed:
        raise Refused("state", _("The study is closed; nobody can read in it any more."))
    link = address(enrolment.renew_link(reader, user))
    return Invited(reader, link, mail_link(reader, link))


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


def mail_link(reader: Reader, link: str) -> bool:
    """Send a reader the link; False without an address or a server, or when it did not take the message."""
    subject = _("Reader study: %(name)s") % {"name": reader.study.name}
    return _mail(reader, subject, render_to_string("studies/invitation_mail.txt", _words(reader, link=link)))


def reminder(line: progress.Line) -> str:
    """The text of a reminder, to send or to copy. The link itself is not known any more."""
    stage = next((stage for stage in line.stages if not stage.is_finished), None)
    return render_to_string("studies/reminder_mail.txt", _words(line.reader, stage=stage))


def remind(line: progress.Line, user: User) -> bool:
    """Remind a reader who has not finished, by mail if that can be; return whether it was sent. Raises Refused."""
    reader = line.reader
    if reader.withdrawn_at or line.is_finished or not reader.study.is_open:
        raise Refused("reader", _("There is nothing to remind this reader of."))
    sent = _mail(reader, _("Reader study: %(name)s") % {"name": reader.study.name}, reminder(line))
    reader.reminded_at = timezone.now()
    reader.save(update_fields=["reminded_at"])
    log.note(reader.study, StudyEvent.Kind.REMINDED, by=user, reader=reader, mailed=sent)
    return sent


def _words(reader: Reader, **more) -> dict:
    return {"reader": reader, "study": reader.study, **more}


def _mail(reader: Reader, subject: str, text: str) -> bool:
    return send(reader.email, subject, text, about=f"reader {reader.pk}")
