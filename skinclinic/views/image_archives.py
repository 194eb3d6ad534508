"""A clinic's image archives, for admins; and sending a photo to one, for who may change it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.image_archives import ImageArchiveForm
from skinclinic.models import ImageArchive, ImageSending
from skinclinic.permissions import ADMIN, EDIT, VIEW, clinic_member, get_for, get_photo_for, member_of
from skinclinic.presenters import image_archives as words
from skinclinic.services import image_archives, step_up
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest

# Lines of the log that are shown.
SHOWN = 50


@clinic_member(ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def archive_list(request: MemberRequest) -> HttpResponse:
    """The clinic's image archives; POST adds one."""
    clinic = request.membership.clinic
    form = ImageArchiveForm(
        request.POST if request.method == "POST" else None, instance=ImageArchive(clinic=clinic)
    )
    if form.is_valid():
        # Photos of patients go there from now on.
        step_up.require(request)
        try:
            made = image_archives.add(clinic, request.user, form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, _("The archive was added. Test the connection."))
            return redirect("image-archive", made.pk)
    context = {"form": form, "rows": clinic.image_archives.all()}
    return render(request, "people/image_archives.html", context, status=422 if form.errors else 200)


@require_safe
def archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """One image archive and its log."""
    found = get_for(request.user, ImageArchive, pk, ADMIN)
    log = words.log(found.sendings.all()[:SHOWN])
    return render(request, "people/image_archive.html", {"archive": found, "log": log})


@require_POST
def archive_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Test the connection, or remove the archive."""
    found, act = get_for(request.user, ImageArchive, pk, ADMIN), request.POST.get("act")
    if act == "test":
        image_archives.test(found, request.user)
        messages.success(request, _("The test is on its way. The log says what becomes of it."))
    elif act == "remove":
        image_archives.remove(found, request.user)
        messages.success(request, _("The archive was removed. What it was sent stays there."))
        return redirect("image-archives")
    return redirect("image-archive", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def photo_archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """A photo in DICOM: to keep as a file, or to send; POST sends it."""
    photo = get_photo_for(request.user, pk, EDIT if request.method == "POST" else VIEW)
    refusal = ""
    if request.method == "POST":
        chosen = get_for(request.user, photo.clinic.image_archives.all(), request.POST.get("archive"), EDIT)
        with_answer = request.POST.get("with_answer") == "1"
        try:
            image_archives.send(photo, chosen, request.user, with_answer=with_answer)
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("The photo is on its way. Below stands what becomes of it."))
            return redirect("photo-archive", photo.pk)
    sendings = ImageSending.objects.filter(clinic=photo.clinic_id, photo_key=photo.pk).select_related(
        "archive"
    )
    context = {
        "photo": photo, "lesion": photo.lesion, "archives": photo.clinic.image_archives.all(),
        "may_edit": member_of(request.user, photo.clinic_id).can_edit, "refusal": refusal,
        "may_send_answer": image_archives.may_send_answer(request.user, photo),
        "can_be_sent": photo.lesion.patient_id and not photo.lesion.is_archived, "log": words.log(sendings[:SHOWN]),
    }  # fmt: skip
    return render(request, "documents/photo_archive.html", context, status=422 if refusal else 200)
