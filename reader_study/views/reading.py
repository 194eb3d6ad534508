"""The pages of a reader: where the study stands, its instructions, and the reading itself."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import check_for_language, get_language, gettext

from classifier.presenters.differential import KEY_CAPS
from classifier.services.models import card as model_card
from reader_study.models import Reader, ReaderAbout, Reading
from reader_study.presenters import asked
from reader_study.presenters.sent_to_reader import state_of
from reader_study.services.making import enrolment, texts
from reader_study.services.reading import practice as practices
from reader_study.services.reading import reading as readings
from reader_study.services.reading import taking_part
from reader_study.services.reading.refusals import Refused
from reader_study.services.results import own_result
from reader_study.views.reader_access import for_readers, keep_language
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES


@for_readers("GET", "HEAD", page=True)
def entry(request: HttpRequest, secret: str) -> HttpResponse:
    """What the study is, how far the reader has come, and what comes next."""
    reader = enrolment.find_any(secret)
    steps = readings.steps(reader)
    try:
        readings.require_reader(reader)
    except Refused as refused:
        # Every session shows the same photos.
        answered = max((step.answered for step in steps), default=0)
        context: dict[str, Any] = {
            "code": refused.code, "reason": refused.refusal.words, "study": reader.study, "answered": answered,
            "secret": secret, "is_done": bool(steps) and all(step.state == "done" for step in steps),
            "shows_result": own_result.may_see(reader), "left": taking_part.how_left(reader),
        }  # fmt: skip
        return render(request, "reading/ended.html", context, status=200)
    readings.note_seen(reader)
    study = reader.study
    context = {
        "reader": reader,
        "study": study,
        "secret": secret,
        "steps": steps,
        "current": next((step for step in steps if step.state in ("begun", "ready")), None),
        "locked": next((step for step in steps if step.state == "locked"), None),
        "is_all_done": bool(steps) and all(step.state == "done" for step in steps),
        "photos": study.images.filter(is_practice=False).count(),
        "practice": study.images.filter(is_practice=True).count(),
        "question": question_of(study),
        "choices": [BY_KEY[key] for key in study.choices if key in BY_KEY],
        "unconfirmed": request.GET.get("unconfirmed") == "1",
        **_taking_part(reader),
    }
    if context["current"]:
        context["passing"] = practices.standing(context["current"].reading)
    return render(request, "reading/entry.html", context)


def _taking_part(reader: Reader) -> dict[str, Any]:
    """What comes before the first photo, in the reader's language."""
    study, language = reader.study, get_language() or "en"
    return {
        "instructions": texts.in_language(study, texts.INSTRUCTIONS, language),
        "needs_consent": taking_part.needs_consent(reader),
        "consent": texts.in_language(study, texts.CONSENT, language),
        "consent_version": texts.consent_version(study),
        "asks_about": taking_part.may_tell(reader),
        "has_told": ReaderAbout.objects.filter(reader=reader).exists(),
    }


@for_readers("POST", page=True)
def begin(request: HttpRequest, secret: str, session: str) -> HttpResponse:
    """Confirm the instructions; the practice photos come first, where there are any."""
    reading = readings.find(secret, session)
    if reading.instructions_read_at is None and request.POST.get("confirmed") != "1":
        return redirect(reverse("reading", args=[secret]) + "?unconfirmed=1#instructions")
    taking_part.require_consent(reading.reader)
    readings.confirm_instructions(reading)
    if reading.practice_order and reading.started_at is None:
        return redirect("reading-practice", secret, session)
    return redirect("reading-session", secret, session)


@for_readers("GET", "HEAD", page=True)
def read(request: HttpRequest, secret: str, session: str) -> HttpResponse:
    """The reading: one page for all photos of a session."""
    reading = readings.find(secret, session)
    practices.begin(reading)
    readings.note_seen(reading.reader)
    return _page(request, secret, reading, practice=False)


@for_readers("GET", "HEAD", page=True)
def practise(request: HttpRequest, secret: str, session: str) -> HttpResponse:
    """The same page with the practice photos; nothing of it is stored."""
    reading = readings.find(secret, session)
    readings.require_prepared(reading)
    practices.require_may_try(reading)
    if not reading.practice_order:
        return redirect("reading-session", secret, session)
    return _page(request, secret, reading, practice=True)


def _page(request: HttpRequest, secret: str, reading: Reading, *, practice: bool) -> HttpResponse:
    study, language = reading.reader.study, get_language() or "en"
    context = {
        "reading": reading,
        "reader": reading.reader,
        "study": study,
        "session": reading.session,
        "secret": secret,
        "practice": practice,
        "question": question_of(study),
        "offered": asked.offered(study),
        "choices": [
            {"key": disease.key, "name": disease.name(language), "cap": KEY_CAPS[disease.key]}
            for disease in DISEASES
            if disease.key in study.choices
        ],
        "base": reverse("reading-session", args=[secret, reading.session.key]),
        "state": state_of(reading, practice=practice),
        "checks": practice and bool(study.practice_feedback or study.practice_pass),
        "passing": practice and reading.started_at is None and practices.standing(reading),
    }
    if reading.session.is_aided and study.model_version:
        version = study.model_version
        context |= {"version": version, "validated_on": model_card.validated_on(version.manifest)}
    return render(request, "reading/read.html", context)


@for_readers("POST")
def keys(request: HttpRequest, secret: str) -> HttpResponse:
    """Switch the reader's single-key commands on or off, on every device."""
    reader = enrolment.find(secret)
    reader.uses_keys = request.POST.get("on") == "1"
    reader.save(update_fields=["uses_keys"])
    return JsonResponse({"on": reader.uses_keys})


@for_readers("POST", page=True)
def language(request: HttpRequest, secret: str) -> HttpResponse:
    """Choose the language. The product's own form needs a cookie against forgery, and readers have none."""
    reader = enrolment.find_any(secret)
    chosen = request.POST.get("language", "")
    response = redirect(_path_of(request.POST.get("next", ""), secret))
    if check_for_language(chosen) and chosen in dict(settings.LANGUAGES):
        enrolment.speak(reader, chosen)
        keep_language(response, chosen)
    return response


def _path_of(onward: str, secret: str) -> str:
    """``onward``, if it is one of this reader's own pages, else the first of them."""
    home = reverse("reading", args=[secret])
    try:
        path = urlsplit(onward).path
    except ValueError:
        return home
    return path if path.startswith(home) else home


def question_of(study) -> str:
    """The question the study asks of each photo, in the reader's language."""
    return texts.in_language(study, texts.QUESTION, get_language() or "en") or gettext(
        "What is your diagnosis?"
    )
