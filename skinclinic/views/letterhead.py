"""The head of the clinic's letters: address, telephone, language, logo."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from skinclinic import imaging
from skinclinic.files import store
from skinclinic.forms.letterhead import LetterheadForm
from skinclinic.models import Clinic
from skinclinic.permissions import ADMIN, clinic_member
from skinclinic.presenters.answers import refusal_words
from skinclinic.presenters.attempts import count_photo
from skinclinic.services import decoding, documents
from skinclinic.web.photo_lost import PhotoLost
from skinclinic.web.private_jpeg import private_jpeg
from skinclinic.web.requests import MemberRequest

LARGEST = 5_000_000
SMALLEST_SIDE = 32


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def letterhead(request: MemberRequest) -> HttpResponse:
    clinic = Clinic.objects.get(pk=request.membership.clinic_id)
    if request.method != "POST":
        return _page(request, clinic, LetterheadForm(instance=clinic))
    form = LetterheadForm(request.POST, request.FILES, instance=Clinic.objects.get(pk=clinic.pk))
    accepted = _logo(request, form, request.FILES.get("logo")) if form.is_valid() else None
    if not form.is_valid():
        return _page(request, clinic, form, status=409 if form.clashes else 422)
    try:
        documents.save_letterhead(
            form.instance, accepted.jpeg if accepted else None, without_logo=form.cleaned_data["without_logo"]
        )
    except store.StorageFull:
        form.add_error("logo", _("The disk of the server is full. Nothing was saved."))
        return _page(request, clinic, form, status=507)
    messages.success(request, _("Saved."))
    return redirect("letterhead")


@clinic_member()
@require_safe
def logo(request: MemberRequest) -> HttpResponseBase:
    """The logo as letters have it now."""
    key = request.membership.clinic.letter_logo
    if not key:
        raise Http404
    try:
        return private_jpeg(key, "logo")
    except PhotoLost:
        # It is no photo.
        raise Http404 from None


def _logo(
    request: MemberRequest, form: LetterheadForm, file: UploadedFile | None
) -> imaging.AcceptedPhoto | None:
    """The picture as it may be stored; what is none is said at its field."""
    if file is None:
        return None
    if (file.size or 0) > LARGEST:
        form.add_error("logo", _("This file is larger than 5 MB. Choose a smaller one."))
        return None
    count_photo(request)
    sender = decoding.sender_of(request.user.pk)
    try:
        return decoding.accept(file.read(), sender=sender, max_bytes=LARGEST, min_side=SMALLEST_SIDE)
    except imaging.PhotoRejected as refused:
        form.add_error("logo", refusal_words(refused))
        return None


def _page(request: MemberRequest, clinic: Clinic, form: LetterheadForm, status: int = 200) -> HttpResponse:
    return render(request, "people/letterhead.html", {"form": form, "clinic": clinic}, status=status)
