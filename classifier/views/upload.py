"""Getting photos in: the page, one file a request, and what became of those sent."""

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from classifier.presenters.cards import card_json, cards_of
from classifier.presenters.pictures import covered_before, what_is_taken
from classifier.services.analysis.analyses import failed_of, retry_failed
from classifier.services.analysis.intake import take_in
from skinclinic import imaging
from skinclinic.files import store
from skinclinic.forms.capture import CaptureForm
from skinclinic.models import Clinic, Lesion, Patient, Photo, User
from skinclinic.permissions import EDIT, clinic_member, get_for, get_lesion_for, member_of, require, visible
from skinclinic.presenters.answers import photo_not_stored, refusal_words, wants_page
from skinclinic.presenters.attempts import count_photo
from skinclinic.services import covering
from skinclinic.services.capture import Gone, Place
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.errors import too_large
from skinclinic.web.inputs import is_key
from skinclinic.web.middleware import BodySizeMiddleware, takes_up_to, uses_camera
from skinclinic.web.requests import MemberRequest, SignedInRequest, json_error

log = logging.getLogger(__name__)

# A browser without scripts sends all files of a form at once.
FILES_A_PLAIN_FORM = 8
NOT_FILED_FOR = timedelta(hours=24)
NOT_FILED_SHOWN = 200
# What is more is not counted out.
FAILED_COUNTED = 1000
CARDS_A_QUESTION = 200


@uses_camera
@never_cache
@require_safe
@clinic_member(EDIT)
def upload(request: MemberRequest) -> HttpResponse:
    """The upload page; ``?lesion=ID`` sends the photos into that lesion."""
    lesion = _chosen_lesion(request.user, request.GET.get("lesion", ""))
    clinic = lesion.clinic if lesion else request.membership.clinic
    failed = failed_of(clinic).order_by()[: FAILED_COUNTED + 1].count()
    context = {
        "lesion": lesion,
        "clinic": clinic,
        "cards": cards_of(request, not_filed(clinic, request.user)),
        "failed": min(failed, FAILED_COUNTED),
        "more_failed": failed > FAILED_COUNTED,
        **what_is_taken(clinic),
    }
    return render(request, "upload/page.html", context)


def not_filed(clinic: Clinic, user: User) -> list[Photo]:
    """The user's photos of the last 24 hours that are not under a patient yet, newest first."""
    return list(
        Photo.objects.filter(
            clinic=clinic,
            uploaded_by=user,
            created_at__gte=timezone.now() - NOT_FILED_FOR,
            lesion__patient=None,
            lesion__is_archived=False,
        ).select_related("lesion__patient")[:NOT_FILED_SHOWN]
    )


@never_cache
@require_POST
@clinic_member(EDIT)
def photos_retry(request: MemberRequest) -> HttpResponse:
    """Queue what failed in the clinic again; ``clinic`` (id): the one the page was made for."""
    clinic = _chosen_clinic(request)
    queued, left = retry_failed(clinic, request.user)
    words = ngettext("%(n)d photo is analysed again.", "%(n)d photos are analysed again.", queued)
    messages.success(request, words % {"n": queued})
    if left:
        messages.warning(request, _("More have failed: %(n)d. Press it once more.") % {"n": left})
    return redirect("upload")


@never_cache
@require_safe
def photo_cards(request: SignedInRequest) -> JsonResponse:
    """What changed for the cards a page has: ``?have=ID:SEEN,ID:SEEN`` with what each card last saw.

    Answers {"cards": [changed ones], "gone": [ids of photos that were removed]}.
    """
    pairs = [part.partition(":")[::2] for part in request.GET.get("have", "").split(",") if part]
    if not all(is_key(key) for key, _seen in pairs):
        return json_error(400, "bad_ids", _("These are not photos."))
    have = {int(key): seen for key, seen in pairs}
    if len(have) > CARDS_A_QUESTION:
        return json_error(400, "too_many", _("Ask for fewer photos at once."))
    photos = visible(Photo, request.user).filter(pk__in=have).select_related("lesion__patient")
    cards = cards_of(request, photos)
    found = {card.photo.pk for card in cards}
    return JsonResponse(
        {
            "cards": [card_json(request, card) for card in cards if card.seen != have[card.photo.pk]],
            "gone": [pk for pk in have if pk not in found],
        }
    )


@never_cache
@require_safe
def photo_card(request: SignedInRequest, pk: int) -> JsonResponse:
    """The state of one photo."""
    photo = get_for(request.user, Photo.objects.select_related("lesion__patient"), pk)
    return JsonResponse(card_json(request, cards_of(request, [photo])[0]))


@csrf_exempt  # checked by _receive: the check reads the body, which may fail in ways of its own
@takes_up_to(FILES_A_PLAIN_FORM * settings.UPLOAD_MAX_BYTES)
@require_POST
def photo_upload(request: SignedInRequest) -> HttpResponse:
    """Take a photo in: multipart ``file``, optional ``lesion`` (id), ``clinic`` (id) and ``kind``; ``covered``: what
    a browser has covered before it sent the photo (``presenters.pictures.covered_before``). With ``patient`` (id) it is
    filed there: into that ``lesion`` of the patient, or a new one at ``site``, ``site_x``, ``site_y`` that photos of
    the same ``place_key`` share.

    Scripts send one file and get its card as JSON: 201, 200 with "duplicate" when the clinic has the file
    already ("sent_before": by this person, for the same lesion, so that it may be this very upload, whose answer got
    lost), or an error: 400 refused, 403, 404, 409 (the lesion is not the patient's), 413, 429 and 503 (both say when
    it is worth another try), 507. A plain form may send several files.
    """
    announced = request.META.get("CONTENT_LENGTH") or ""
    one_file = settings.UPLOAD_MAX_BYTES + BodySizeMiddleware.ROOM
    if not wants_page(request) and announced.isdigit() and int(announced) > one_file:
        return too_large(request, settings.UPLOAD_MAX_BYTES)
    try:
        request.FILES  # noqa: B018 - parses the body
    except UnreadablePostError:
        return json_error(400, "cut_off", _("The upload was cut off. Send the photo again."))
    except (MultiPartParserError, SuspiciousOperation):
        return json_error(400, "broken_form", _("The upload arrived damaged. Send the photo again."))
    except OSError:
        log.exception("cannot take an upload in")
        return _storage_full()
    return _receive(request)


def _storage_full() -> JsonResponse:
    return json_error(507, "storage_full", photo_not_stored())


@csrf_protect
def _receive(request: SignedInRequest) -> HttpResponse:
    patient = _chosen_patient(request.user, request.POST.get("patient", ""))
    asked = CaptureForm(request.POST) if patient else None
    if asked and not asked.is_valid():
        return json_error(400, "unknown_place", _("This place on the body is not known. Choose it again."))
    place = asked.place_of(patient) if asked and patient else None
    lesion = None if place else _chosen_lesion(request.user, request.POST.get("lesion", ""))
    clinic = place.patient.clinic if place else lesion.clinic if lesion else _chosen_clinic(request)
    kind = request.POST.get("kind") or Photo.Kind.CLOSE_UP
    if kind not in Photo.Kind.values:
        return json_error(400, "unknown_kind", _("This kind of photo is not known."))
    sent = request.FILES.getlist("file")
    if wants_page(request):
        return _receive_form(request, clinic, lesion, kind, sent, place)
    if len(sent) != 1:
        return json_error(400, "no_file", _("No photo arrived. Send one file, in the field “file”."))
    try:
        photo, is_new = _take_in(request, clinic, lesion, kind, sent[0], place)
    except Gone:
        return json_error(409, "lesion_gone", _lesion_gone())
    except imaging.PhotoRejected as refused:
        return json_error(413 if refused.code == "too_large" else 400, refused.code, refusal_words(refused))
    except store.StorageFull:
        return _storage_full()
    if is_new and (said := covered_before(request.POST.get("covered", ""), photo)):
        covering.note_covered_before(photo, *said, request.user)
    card = card_json(request, cards_of(request, [photo])[0])
    return JsonResponse(
        card
        | {
            "duplicate": not is_new,
            "given_back": photo.given_back,
            "covered": not is_new and photo.covers.exists(),
            "sent_before": _is_as_sent(photo, request.user, lesion, place),
        },
        status=201 if is_new else 200,
    )


def _receive_form(
    request: SignedInRequest,
    clinic: Clinic,
    lesion: Lesion | None,
    kind: str,
    sent: list,
    place: Place | None,
) -> HttpResponse:
    """Several files of a plain form, one message each; one bad file does not stop the others."""
    if not sent:
        messages.warning(request, _("No file was chosen."))
    for file in sent:
        named = {"name": file.name}
        try:
            photo, is_new = _take_in(request, clinic, lesion, kind, file, place)
        except Gone:
            messages.error(request, f"{file.name}: {_lesion_gone()}")
        except imaging.PhotoRejected as refused:
            messages.error(request, f"{file.name}: {refusal_words(refused)}")
        except store.StorageFull:
            messages.error(request, _("%(name)s was not stored: the server's disk is full.") % named)
        else:
            messages.success(request, _stored_words(photo, is_new) % named)
    if place:
        return redirect("patient-photos", place.patient.pk)
    return redirect(reverse("upload") + (f"?lesion={lesion.pk}" if lesion else ""))


def _stored_words(photo: Photo, is_new: bool) -> str:
    if photo.given_back:
        return _("%(name)s was already uploaded; its stored file had been lost and was stored again.")
    return _("%(name)s was stored.") if is_new else _("%(name)s was already uploaded.")


def _take_in(
    request: SignedInRequest, clinic: Clinic, lesion: Lesion | None, kind: str, file, place: Place | None
) -> tuple[Photo, bool]:
    """Raises what ``take_in`` raises, and TooOften; what is refused for now is answered by the middleware."""
    count_photo(request)
    home = partial(place.home, request.user) if place else lesion
    return take_in(user=request.user, clinic=clinic, data=file.read(), name=file.name, lesion=home, kind=kind)


def _chosen_clinic(request: SignedInRequest) -> Clinic:
    """The clinic the page was made for, whichever the person works in since; else the current one."""
    pk = request.POST.get("clinic", "")
    if not pk:
        return require(request.membership, EDIT).clinic
    if not is_key(pk):
        raise Http404
    return require(member_of(request.user, int(pk)), EDIT).clinic


def _is_as_sent(photo: Photo, user: User, lesion: Lesion | None, place: Place | None) -> bool:
    if place and not place.holds(photo):
        return False
    return photo.uploaded_by_id == user.pk and (lesion is None or photo.lesion_id == lesion.pk)


def _lesion_gone() -> str:
    return _("The lesion this photo was taken for was removed, or is filed under another patient now.")


def _chosen_patient(user: User, pk: str) -> Patient | None:
    return get_for(user, Patient, pk, EDIT) if pk else None


def _chosen_lesion(user: User, pk: str) -> Lesion | None:
    return get_lesion_for(user, pk, EDIT) if pk else None
