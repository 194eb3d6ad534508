"""Readers and their links. A link opens one study for one reader and nothing else; only its hash is kept."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from reader_study.models import Reader, ReaderGroup, Study, StudyEvent
from reader_study.services import log
from reader_study.services.making import designs, orders
from skinclinic.models import User
from skinclinic.services.secret_links import new_nonce, secret_hash, secret_of
from skinclinic.web import acting

# A link that nobody has used, sent or been reminded of for so long opens nothing until it is renewed.
ENDS_UNUSED_AFTER = timedelta(days=180)


class LinkClosed(Exception):
    """No reader has this link: it was renewed, the reader withdrew, it lay unused too long, or it never was one."""


@transaction.atomic
def enrol(
    study: Study,
    *,
    group: ReaderGroup | None,
    by: User | None,
    name: str = "",
    email: str = "",
    years_of_practice: int | None = None,
    centre: str = "",
    language: str = "",
    code: str = "",
    is_preview: bool = False,
    nonce: str = "",
) -> tuple[Reader, str]:
    """Make a reader with an own random order for every session; return it with the secret of the link.

    The sample must be drawn: the order is of the photos it holds now. ``nonce``: what the secret is made of, for
    those who will have to say it later.
    """
    secret = secret_of(nonce or new_nonce())
    reader = Reader.objects.create(
        study=study,
        group=group,
        code=code or _next_code(study),
        name=name,
        email=email,
        years_of_practice=years_of_practice,
        centre=centre,
        language=language,
        is_preview=is_preview,
        secret_sha256=secret_hash(secret),
        link_made_at=timezone.now(),
    )
    place = designs.allocate(reader)
    orders.draw(reader)
    if not is_preview:
        details = {"code": reader.code} | log.allocation(place) | _before(reader)
        log.note(study, StudyEvent.Kind.INVITED, by=by, reader=reader, **details)
    return reader, secret


@transaction.atomic
def renew_link(reader: Reader, by: User, nonce: str = "") -> str:
    """Return the secret of a new link; the old one stops working."""
    secret = secret_of(nonce or new_nonce())
    reader.secret_sha256, reader.link_made_at = secret_hash(secret), timezone.now()
    reader.save(update_fields=["secret_sha256", "link_made_at"])
    log.note(reader.study, StudyEvent.Kind.LINK_RENEWED, by=by, reader=reader)
    return secret


@transaction.atomic
def withdraw(reader: Reader, by: User, reason: str = "") -> None:
    """Close the reader's link; answers are kept but no longer counted.

    The hash stays, so that what still arrives by the link is refused by name and logged.
    """
    reader.withdrawn_at = timezone.now()
    reader.save(update_fields=["withdrawn_at"])
    log.note(reader.study, StudyEvent.Kind.WITHDRAWN, by=by, reader=reader, reason=reason)


def find(secret: str) -> Reader:
    """The reader of a link, with study and group. Raises LinkClosed for any other."""
    found = find_any(secret)
    if found.withdrawn_at:
        raise LinkClosed
    return found


def find_any(secret: str) -> Reader:
    """The reader of a link, also one who was withdrawn. Raises LinkClosed for a link that nobody has."""
    found = (
        Reader.objects.filter(secret_sha256=secret_hash(secret))
        .select_related("study__clinic", "study__model_version", "group")
        .first()
    )
    if found is None or _has_ended(found):
        raise LinkClosed
    acting.by_link(acting.Via.READER, found, found.code)
    return found


def _has_ended(reader: Reader) -> bool:
    known = [
        reader.created_at,
        reader.link_made_at,
        reader.last_seen_at,
        reader.reminded_at,
        reader.study.opened_at,
    ]
    return max(at for at in known if at) < timezone.now() - ENDS_UNUSED_AFTER


def language_of(secret: str) -> str:
    """The language the reader of a link chose or was invited in; "" where none is known."""
    found = (
        Reader.objects.filter(secret_sha256=secret_hash(secret)).values_list("language", flat=True).first()
    )
    return found if found in dict(settings.LANGUAGES) else ""


def speak(reader: Reader, language: str) -> None:
    """Keep the language of a reader's pages and mails."""
    Reader.objects.filter(pk=reader.pk).update(language=language)


def _before(reader: Reader) -> dict[str, str]:
    """Who this person was in the study before: invited anew after withdrawing, with the next place of the list."""
    if not reader.email:
        return {}
    earlier = reader.study.readers.filter(email__iexact=reader.email, withdrawn_at__isnull=False).order_by(
        "-pk"
    )
    code = earlier.values_list("code", flat=True).first()
    return {"again": code} if code else {}


def _next_code(study: Study) -> str:
    taken = set(study.readers.values_list("code", flat=True))
    return next(code for number in range(1, 100_000) if (code := f"R{number:02d}") not in taken)
