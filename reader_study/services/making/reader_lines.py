"""Readers to invite, as people type or paste them: a line for each."""

import csv
import re
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language_info

from reader_study.models import ReaderGroup, Study
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _
from skinclinic.web.inputs import storable

_ADDRESS = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>\s]+@[^<>\s]+)>")
MOST_LINES, LONGEST_NAME, MOST_YEARS, LONGEST_CENTRE = 200, 120, 70, 80


@dataclass(frozen=True)
class Wanted:
    """A reader to invite."""

    name: str
    email: str
    group: ReaderGroup
    years: int | None = None
    centre: str = ""
    language: str = ""


def read_lines(
    study: Study, text: str, default: ReaderGroup | None = None
) -> tuple[list[Wanted], list[tuple[int, str]]]:
    """Read lines "name, e-mail, group, years, centre, language"; return what they say, and what is wrong by line.

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
    if len(cells) > 6:
        raise Refused("", _("More than six parts: name, e-mail, group, years of practice, centre, language."))
    name, email, group_name, years, centre, language = [*cells, *[""] * 6][:6]
    if not email:
        name, email = _with_address(name)
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
    group = _group(group_name, groups, default)
    if years and not (years.isascii() and years.isdigit() and len(years) < 3 and int(years) <= MOST_YEARS):
        raise Refused("years", _("“%(text)s” is no number of years from 0 to 70.") % {"text": years[:80]})
    if len(centre) > LONGEST_CENTRE or not storable(centre) or not centre.isprintable():
        raise Refused(
            "centre",
            _("The centre is longer than %(most)d characters or holds signs that cannot be stored.")
            % {"most": LONGEST_CENTRE},
        )
    return Wanted(name, email, group, int(years) if years else None, centre, _language(language))


def _with_address(name: str) -> tuple[str, str]:
    """A name as mail programs copy it, “Ann Lee <ann@example.org>”, or an address that stands alone, which then is
    the name as well: else nobody would be mailed."""
    if found := _ADDRESS.fullmatch(name):
        return found["name"].strip() or found["email"], found["email"]
    return (name, name) if "@" in name and " " not in name else (name, "")


def _language(text: str) -> str:
    """The code of a language written as its code or its name; "" for none."""
    if not text:
        return ""
    for code, name in settings.LANGUAGES:
        known = get_language_info(code)
        if text.casefold() in {
            one.casefold() for one in (code, name, known["name"], known["name_translated"])
        }:
            return code
    names = ", ".join(f"{code} ({name})" for code, name in settings.LANGUAGES)
    raise Refused(
        "language",
        _("There is no language “%(text)s”; there are: %(names)s.") % {"text": text[:80], "names": names},
    )


def _group(group_name: str, groups: dict[str, ReaderGroup], default: ReaderGroup | None) -> ReaderGroup:
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
    return group
