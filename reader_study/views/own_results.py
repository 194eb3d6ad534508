"""What a reader gets back: the own result after closing, and a certificate of having taken part."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify

from reader_study.services.making import enrolment
from reader_study.services.results import certificate as certificates
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
    """Who has finished may print that, or take it along (``as=pdf``)."""
    found = certificates.of(enrolment.find(secret))
    if found is None:
        raise Http404
    if request.GET.get("as") == "pdf":
        response = HttpResponse(certificates.pdf(found), content_type="application/pdf")
        name = slugify(f"{found.study.name} {found.reader.code}") or "study"
        response["Content-Disposition"] = f'attachment; filename="{name}-certificate.pdf"'
        return response
    context = {"reader": found.reader, "study": found.study, "secret": secret, "certificate": found}
    return render(request, "reading/certificate.html", context)
