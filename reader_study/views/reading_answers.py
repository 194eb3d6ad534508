"""The addresses the reading page talks to: answers in, "I am done"."""

import json
import math
import re
import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from reader_study import asked
from reader_study.presenters.sent_to_reader import answer_json, state_of
from reader_study.services.reading import answers
from reader_study.services.reading import practice as practices
from reader_study.services.reading import reading as readings
from reader_study.services.reading.given import BadAnswer, Given
from reader_study.services.reading.refusals import NEXT, Refused
from reader_study.views.reader_access import for_readers
from skinclinic.vocabulary import spoken
from skinclinic.web.requests import json_error

MAX_BYTES = 4096
LONGEST_SECONDS = 7 * 24 * 3600
MOST_WAITING = 100_000
DEVICES = ("phone", "tablet", "desktop")
_VIEWPORT = re.compile(r"[0-9]{1,5}x[0-9]{1,5}@[0-9]{1,2}(\.[0-9]{1,2})?")


class TooLarge(ValueError):
    """More was sent than an answer can be."""


@for_readers("POST")
def answer(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    """Store a change to the answer of the photo at ``position``.

    JSON: {"key": uuid, "known": number of the answer it was made upon (0: none), "choice": disease key, "second"?,
    "confidence"? (0 to 100), "management"?, "quality"?, "knows_patient"?, "comment"?, "seconds"?, "given_at"? (ISO
    8601), "first"? (before the model's answer), "undo"?, "saw_model"?, "device"?, "viewport"?, "waiting"? (how many
    wait on the device)}.
    Answers {"in_force", "answer": as it stands now, "next": position of the first photo without one,
    "finished", "gone"?: positions of photos that were taken out}. The same key again changes nothing.
    """
    try:
        # All of it before anything is locked: a phone in a lift may take minutes to send it.
        body = _body(request)
        given = read_given(body)
        taken = answers.take(secret, session, position, given)
    except (TooLarge, BadAnswer) as problem:
        # A link that nobody has is none, whatever was sent to it.
        readings.find(secret, session)
        status, code = (413, "too_large") if isinstance(problem, TooLarge) else (400, "bad_answer")
        return json_error(status, code, str(problem), then=NEXT)
    except Refused as refused:
        if refused.refusal.is_logged and refused.reading:
            readings.note_refused(refused.reading, refused.code, n=waiting_of(body))
        raise
    return JsonResponse(
        {
            "in_force": taken.is_in_force,
            "answer": answer_json(taken.answer),
            "next": taken.next,
            "finished": taken.is_finished,
        }
        | ({"gone": sorted(taken.gone)} if taken.gone else {})
    )


@for_readers("POST")
def practice_answer(request: HttpRequest, secret: str, session: str, position: int) -> HttpResponse:
    """What the practice photo at ``position`` shows, where the study tells it; counts towards a passing mark.

    JSON: {"choice": disease key}. Answers {"truth": key or "", "name", "over": whether that was the last}.
    """
    try:
        sent = json.loads(_body(request))
        choice = sent.get("choice") if isinstance(sent, dict) else None
    except (TooLarge, ValueError, RecursionError):
        choice = None
    told = practices.answer(secret, session, position, choice if isinstance(choice, str) else "")
    name = spoken.disease(told.truth) if told.truth else ""
    return JsonResponse({"truth": told.truth, "name": name, "over": told.is_over})


@for_readers("GET")
def state(request: HttpRequest, secret: str, session: str) -> HttpResponse:
    """The reader's own answers as they stand, for a page that was open while another device went on."""
    reading = readings.find(secret, session)
    readings.require_begun(reading)
    return JsonResponse(state_of(reading, practice=False))


@for_readers("POST")
def finish(request: HttpRequest, secret: str, session: str) -> HttpResponse:
    """The reader says "I am done"."""
    readings.finish(readings.find(secret, session))
    return JsonResponse({"finished": True})


def _body(request: HttpRequest) -> bytes:
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > MAX_BYTES or len(request.body) > MAX_BYTES:
        raise TooLarge(_("What was sent is too large. Nothing was stored."))
    return request.body


def read_given(body: bytes) -> Given:
    """Read an answer that was sent. Raises BadAnswer for what no study asks; ``take`` checks the rest."""
    try:
        sent = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadAnswer(_("This is not JSON.")) from None
    if not isinstance(sent, dict):
        raise BadAnswer(_("An answer is a JSON object."))
    is_undo, is_first, knows_patient = (_truth(sent, name) for name in ("undo", "first", "knows_patient"))
    choice, second, management, quality = (
        _choice(sent, name) for name in ("choice", "second", "management", "quality")
    )
    if not choice and not is_undo:
        raise BadAnswer(_("Choose one of the answers."))
    confidence = _whole(sent, "confidence", 0, 100)
    known = _whole(sent, "known", 0, 2**31 - 1)
    if known is None:
        raise BadAnswer(_("“%(name)s” is missing.") % {"name": "known"})
    return Given(
        key=_key(sent), known=known, choice=choice, second=second, confidence=confidence,
        seconds=_seconds(sent), given_at=_moment(sent), is_first=is_first, is_undo=is_undo, management=management,
        quality=quality, knows_patient=knows_patient, comment=_remark(sent),
        saw_model=None if sent.get("saw_model") is None else _truth(sent, "saw_model"),
        device=_device(sent), viewport=_viewport(sent),
    )  # fmt: skip


def waiting_of(body: bytes) -> int:
    """How many answers wait on the device that sent this one, itself among them."""
    try:
        return _whole(json.loads(body), "waiting", 1, MOST_WAITING) or 1
    except (BadAnswer, ValueError, AttributeError):
        return 1


def _no_number(name: str):
    raise ValueError(f"{name} is no JSON number")


def _wrong(name: str) -> BadAnswer:
    return BadAnswer(_("“%(name)s” is not what it should be.") % {"name": name})


def _key(sent: dict) -> uuid.UUID:
    value = sent.get("key")
    try:
        if not isinstance(value, str):
            raise ValueError
        return uuid.UUID(value)
    except ValueError:
        raise _wrong("key") from None


def _truth(sent: dict, name: str) -> bool:
    value = sent.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name)
    return bool(value)


def _choice(sent: dict, name: str) -> str:
    value = sent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name)
    return value


def _remark(sent: dict) -> str:
    """Free text as one line."""
    text = " ".join(_choice(sent, "comment").split())
    if len(text) > asked.LONGEST_COMMENT or not text.isprintable():
        raise _wrong("comment")
    return text


def _device(sent: dict) -> str:
    value = _choice(sent, "device")
    if value not in ("", *DEVICES):
        raise _wrong("device")
    return value


def _viewport(sent: dict) -> str:
    value = _choice(sent, "viewport")
    if value and not _VIEWPORT.fullmatch(value):
        raise _wrong("viewport")
    return value


def _whole(sent: dict, name: str, low: int, high: int) -> int | None:
    value = sent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _wrong(name)
    return value


def _seconds(sent: dict) -> float | None:
    value = sent.get("seconds")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_SECONDS:
        raise _wrong("seconds")
    return round(float(value), 3) if math.isfinite(value) else None


def _moment(sent: dict) -> datetime | None:
    """When it was given by the browser's clock. One without a zone, or of another century, is no help."""
    value = sent.get("given_at")
    if value is None:
        return None
    try:
        moment = parse_datetime(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _wrong("given_at")
    return moment if 2000 <= moment.year < 2200 else None
