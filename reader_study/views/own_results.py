"""What a reader gets back: the own result after closing, and a certificate of having taken part."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from reader_study.services.making import enrolment
from reader_study.services.results import own_result
from reader_study.views.reader_access import for_readers


@for_readers("GET", "HEAD", page=True)
def result(request: HttpRequest, secret: str) -> HttpResponse:
    """Only after closing, and only where the study allows it."""
    reader = enrolment.find(secret)
    if not own_result.may_see(reader):
        raise Http404
    context = {"reader": reader, "study": reader.study, "secret": secret, "results": own_result.of(reader)}
    return render(request, "reading/result.html", context)


@for_readers("GET", "HEAD", page=True)
def certificate(request: HttpRequest, secret: str) -> HttpResponse:
    """Who has finished may print that; it says nothing of how well."""
    reader = enrolment.find(secret)
    readings = list(reader.readings.all())
    if reader.is_preview or not readings or any(reading.finished_at is None for reading in readings):
        raise Http404
    context = {
        "reader": reader,
        "study": reader.study,
        "secret": secret,
        "photos": len(readings[0].order),
        "sessions": len(readings),
        "began": min((one.started_at for one in readings if one.started_at), default=None),
        "ended": max(one.finished_at for one in readings if one.finished_at),
    }
    return render(request, "reading/certificate.html", context)
