"""Deleting a photo, a lesion or a patient, the bin, and getting things out of it again."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from skinclinic.forms.bin import ReasonForm
from skinclinic.models import BinItem, Lesion, Patient, Photo, User
from skinclinic.permissions import ADMIN, CURATE, EDIT, clinic_member, get_for, may, member_of, require
from skinclinic.presenters import bin as words
from skinclinic.presenters.answers import wants_page
from skinclinic.presenters.paging import paged
from skinclinic.services import step_up
from skinclinic.services.binning import bin as service
from skinclinic.services.binning import emptying, items
from skinclinic.services.binning.taking_back import take_back
from skinclinic.services.refused import Refused
from skinclinic.web.requests import MemberRequest, SignedInRequest, json_error

PAGE_SIZE = 50
JUST_NOW = timedelta(hours=24)
NO_MORE = gettext_lazy("This lies in the bin no more.")


@require_http_methods(["GET", "HEAD", "POST"])
def photo_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask for the reason, with what goes along; then move the photo to the bin. A card of the upload page asks by
    itself: of a photo that is filed nowhere yet, or was taken just now, the reason is known."""
    photo = get_for(request.user, Photo.objects.select_related("lesion__patient"), pk, EDIT)
    if request.method == "POST" and not wants_page(request):
        return _card_removed(request, photo)
    return _delete(request, photo, photo.lesion, reverse("photo", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def lesion_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    lesion = get_for(request.user, Lesion.objects.select_related("patient"), pk, EDIT)
    return _delete(request, lesion, lesion, reverse("lesion", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def patient_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    patient = get_for(request.user, Patient, pk, EDIT)
    return _delete(request, patient, patient, reverse("patient", args=[pk]))


@clinic_member(EDIT)
@require_safe
def bin_list(request: MemberRequest) -> HttpResponse:
    """What lies in the clinic's bin, the newest first, and what was emptied before (``?ended=1``)."""
    ended = request.GET.get("ended") == "1"
    rows = BinItem.objects.filter(clinic=request.membership.clinic, ended_at__isnull=not ended)
    shown = paged(request, rows.select_related("by", "ended_by"), size=PAGE_SIZE)
    context = shown | {
        "items": [(item, words.named(item), words.counted(item.counts)) for item in shown["rows"]],
        "ended": ended,
        "may_empty": may(request.membership, ADMIN),
    }
    return render(request, "bin/list.html", context)


@require_safe
def bin_item(request: SignedInRequest, pk: int) -> HttpResponse:
    """What was deleted by one act, what followed, and how to take it back."""
    item = _item(request, pk, EDIT)
    onward, onward_words = words.where_it_was(item)
    context = {
        "item": item,
        "named": words.named(item),
        "counted": words.counted(item.counts),
        "onward": onward,
        "onward_words": onward_words,
        "may_empty": may(member_of(request.user, item.clinic_id), ADMIN),
    }
    return render(request, "bin/item.html", context)


@require_POST
def bin_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put back what one act deleted; say what does not come back by itself."""
    item = _item(request, pk, EDIT)
    if items.is_of_archive(item):
        require(member_of(request.user, item.clinic_id), CURATE)
    try:
        restored = take_back(item, request.user)
    except items.Gone:
        if not wants_page(request):
            return json_error(404, "gone", str(NO_MORE))
        messages.info(request, NO_MORE)
        return redirect("bin")
    except Refused as refused:
        if not wants_page(request):
            return json_error(409, "in_the_way", str(refused))
        messages.error(request, str(refused))
        return redirect("bin-item", pk)
    if not wants_page(request):
        return JsonResponse({"restored": item.key})
    messages.success(request, _("Restored."))
    for text in words.not_back(restored):
        messages.warning(request, text)
    return redirect(words.page_of(item))


@require_POST
def bin_empty(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete it for good now."""
    item = _item(request, pk, ADMIN)
    step_up.require(request)
    try:
        emptying.empty(item, request.user)
    except items.Gone:
        messages.info(request, NO_MORE)
    else:
        messages.success(request, _("Deleted for good."))
    return redirect("bin")


def _item(request: SignedInRequest, pk: int, need: str) -> BinItem:
    return get_for(request.user, BinItem.objects.select_related("by", "ended_by"), pk, need)


def _delete(request: SignedInRequest, row: service.Binnable, of: Lesion | Patient, back: str) -> HttpResponse:
    """The page that asks, and the act."""
    service.require_right(row, member_of(request.user, of.clinic_id))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    changed = False
    if request.method == "POST" and form.is_valid():
        try:
            item = service.put(row, request.user, **form.cleaned_data, seen=request.POST.get("seen", ""))
        except items.Gone:
            raise Http404 from None
        except service.MoreThanSeen:
            changed = True
        else:
            return redirect("bin-item", item.pk)
    contents = service.foreseen(row, request.user)
    context = {
        "form": form,
        "kind": service.KINDS[type(row)],
        "row": row,
        "of": of,
        "counted": words.counted(contents.counts),
        "effects": contents.effects,
        "seen": contents.seen,
        "changed": changed,
        "back": back,
        "days": items.KEPT_FOR.days,
        "erase_url": _erase_url(request, row),
    }
    status = 409 if changed else 422 if form.is_bound else 200
    return render(request, "bin/delete.html", context, status=status)


def _erase_url(request: SignedInRequest, row: service.Binnable) -> str:
    """Where an admin erases instead."""
    if isinstance(row, Patient) and may(member_of(request.user, row.clinic_id), ADMIN):
        return reverse("patient-erase", args=[row.pk])
    return ""


def _card_removed(request: SignedInRequest, photo: Photo) -> JsonResponse:
    if photo.lesion.is_archived or (photo.lesion.patient_id and not _is_taken_just_now(photo, request.user)):
        return json_error(409, "needs_reason", _("This photo is filed. Delete it from its own page."))
    service.require_right(photo, member_of(request.user, photo.clinic_id))
    try:
        item = service.put(photo, request.user, reason=BinItem.Reason.MISTAKE)
    except items.Gone:
        raise Http404 from None
    return JsonResponse({"deleted": photo.pk, "restore": reverse("bin-restore", args=[item.pk])})


def _is_taken_just_now(photo: Photo, user: User) -> bool:
    """A shot of a known patient is filed as it comes; whoever took it sees at once that it went wrong."""
    return photo.uploaded_by_id == user.pk and photo.created_at > timezone.now() - JUST_NOW
