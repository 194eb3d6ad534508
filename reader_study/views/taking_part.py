"""A reader's yes or no to taking part, what the reader tells of himself or herself, and the way out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from reader_study.forms.about_reader import AboutReaderForm
from reader_study.models import ReaderAbout
from reader_study.services.making import enrolment
from reader_study.services.reading import reading as readings
from reader_study.services.reading import taking_part
from reader_study.services.reading.refusals import Refused
from reader_study.views.reader_access import for_readers


@for_readers("POST", page=True)
def consent(request: HttpRequest, secret: str) -> HttpResponse:
    """Take part, or not."""
    reader = enrolment.find(secret)
    readings.require_reader(reader)
    answer = request.POST.get("answer", "")
    if answer in ("yes", "no"):
        taking_part.decide(
            reader,
            accepts=answer == "yes",
            version=request.POST.get("version", ""),
            language=get_language() or "en",
        )
    return redirect("reading", secret)


@for_readers("POST", page=True)
def leave(request: HttpRequest, secret: str) -> HttpResponse:
    """Take no part any more; the box beside the button says that it is meant."""
    reader = enrolment.find(secret)
    if request.POST.get("sure") == "1" and not reader.is_preview:
        taking_part.withdraw(reader, get_language() or "en")
    return redirect("reading", secret)


@for_readers("GET", "HEAD", "POST", page=True)
def about(request: HttpRequest, secret: str) -> HttpResponse:
    """The questionnaire, kept once and changed until the reader has finished."""
    reader = enrolment.find(secret)
    readings.require_reader(reader)
    taking_part.require_consent(reader)
    if not taking_part.may_tell(reader):
        raise Refused("told_too_late")
    kept = ReaderAbout.objects.filter(reader=reader).first()
    form = AboutReaderForm(request.POST or None, instance=kept or ReaderAbout(reader=reader))
    if request.method == "POST" and form.is_valid():
        taking_part.tell(reader, **form.cleaned_data)
        return redirect("reading", secret)
    context = {"form": form, "reader": reader, "study": reader.study, "secret": secret, "is_kept": bool(kept)}
    return render(request, "reading/about.html", context, status=422 if form.errors else 200)
