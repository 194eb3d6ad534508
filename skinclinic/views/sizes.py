"""How large a lesion is: typed as measured on the patient, or marked on a photo."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from skinclinic.forms.sizes import ENDS, MarkedForm, PatientSizeForm, ScaleForm, SizeForm
from skinclinic.models import Lesion, PatientSize, Photo, PhotoScale, PhotoSize
from skinclinic.permissions import EDIT, VIEW, get_for, member_of
from skinclinic.presenters.sizes import scale_told, size_on_photo
from skinclinic.services import sizes
from skinclinic.services.refused import Refused
from skinclinic.views.lesions import lesion_page
from skinclinic.web.requests import SignedInRequest

_SCALE, _SIZE = "scale", "size"


@require_POST
def lesion_size(request: SignedInRequest, pk: int) -> HttpResponse:
    """Save what was measured on the patient."""
    lesion = get_for(
        request.user,
        Lesion.objects.select_related("patient", "cover", "answer_photo", "created_by"),
        pk,
        EDIT,
    )
    form, status = PatientSizeForm(request.POST), 422
    if form.is_valid():
        try:
            sizes.set_on_patient(lesion, request.user, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, str(refused))
        except sizes.Changed:
            # What it was to correct is history; the same once more is a size of its own.
            sent = request.POST.copy()
            sent["instead_of"] = ""
            form = PatientSizeForm(sent)
            form.add_error(
                None, _("Somebody has changed or withdrawn this size meanwhile. Look at what stands now.")
            )
            status = 409
    if form.errors:
        return lesion_page(request, lesion, None, size=form, size_status=status)
    messages.success(request, _("The size is saved."))
    return redirect(f"{reverse('lesion', args=[lesion.pk])}#sizes")


@require_POST
def size_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take back what was measured on the patient."""
    row = get_for(request.user, PatientSize, pk, EDIT)
    sizes.withdraw(row, request.user)
    messages.success(request, _("Withdrawn. It stays in the history."))
    return redirect(f"{reverse('lesion', args=[row.lesion_id])}#sizes")


@require_http_methods(["GET", "HEAD", "POST"])
def photo_size(request: SignedInRequest, pk: int) -> HttpResponse:
    """Mark scale and size on a photo. ``what``: scale or size, with "remove" to take it back."""
    photo = get_for(
        request.user, Photo.objects.select_related("lesion"), pk, EDIT if request.method == "POST" else VIEW
    )
    what = request.POST.get("what", "")
    if request.method != "POST" or what not in (_SCALE, _SIZE):
        return _page(request, photo, status=400 if request.method == "POST" else 200)
    if "remove" in request.POST:
        scale, size = sizes.standing_of(PhotoScale, photo), sizes.standing_of(PhotoSize, photo)
        if row := scale if what == _SCALE else size:
            if str(row.pk) != request.POST.get("seen"):
                return _page(request, photo, status=409, clash=what)
            sizes.withdraw(row, request.user)
        messages.success(request, _("Withdrawn. It stays in the history."))
        return redirect("photo-size", pk)
    form: MarkedForm = ScaleForm(request.POST) if what == _SCALE else SizeForm(request.POST)
    if not form.is_valid():
        return _page(request, photo, {what: form}, status=422)
    given = form.cleaned_data
    try:
        if what == _SCALE:
            sizes.set_scale(
                photo, request.user, given["kind"], given["mm"], given["scale"], given["off"], given["seen"]
            )
        else:
            sizes.set_size(
                photo, request.user, given["longest"], given["across"], given["off"], given["seen"]
            )
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else f"{refused.field}_x1", str(refused))
        return _page(request, photo, {what: form}, status=422)
    except sizes.Changed:
        return _page(request, photo, {what: form}, status=409, clash=what)
    messages.success(request, _("The scale is saved.") if what == _SCALE else _("The size is saved."))
    return redirect("photo-size", pk)


def _page(
    request: SignedInRequest,
    photo: Photo,
    forms: dict[str, MarkedForm] | None = None,
    *,
    status: int = 200,
    clash: str = "",
) -> HttpResponse:
    scale, size = sizes.standing_of(PhotoScale, photo), sizes.standing_of(PhotoSize, photo)
    given = forms or {}
    context = {
        "photo": photo,
        "lesion": photo.lesion,
        "scale": scale,
        "scale_told": scale_told(scale) if scale else "",
        "size": size_on_photo(photo, size, scale) if size else None,
        "scale_form": given.get(_SCALE)
        or ScaleForm(initial=_as_marked(scale, {"scale": scale and scale.points})),
        "size_form": given.get(_SIZE)
        or SizeForm(
            initial=_as_marked(size, {"longest": size and size.longest, "across": size and size.across})
        ),
        "clash": clash,
        "can_edit": member_of(request.user, photo.clinic_id).can_edit,
    }
    return render(request, "size/page.html", context, status=status)


def _as_marked(row: PhotoScale | PhotoSize | None, lines: dict[str, Any]) -> dict[str, Any]:
    """What stands, as the form's fields have it."""
    if row is None:
        return {}
    filled: dict[str, Any] = {"off": row.off}
    if isinstance(row, PhotoScale):
        filled |= {"kind": row.kind, "mm": row.mm}
    for name, points in lines.items():
        filled |= {f"{name}_{end}": value for end, value in zip(ENDS, points or [], strict=False)}
    return filled
