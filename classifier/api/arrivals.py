"""A photo that arrives with all that is known of it, in one call."""

import hashlib
import json
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from classifier.api.serializers import AnalysedPhotoSerializer
from classifier.services.analysis.analyses import current_analysis
from classifier.services.analysis.intake import take_in
from skinclinic import imaging
from skinclinic.api import strict, waiting
from skinclinic.api.base import ApiRequest
from skinclinic.api.errors import Refused
from skinclinic.files import store
from skinclinic.models import Job, Photo
from skinclinic.presenters.answers import photo_not_stored, refusal_words
from skinclinic.services import capture, identifying, patients
from skinclinic.services.arriving import Arrival, Elsewhere
from skinclinic.services.binning.taken import why_code_is_taken

LONGEST_KEY = 200
KEY = OpenApiParameter(
    "Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="1 to 200 characters of your own, such as a UUID. The same key with the same body within 24 hours "
    "stores nothing again and answers as before (`Idempotency-Replayed: true`); with another body: 422 `key_reused`; "
    "while the first is at work: 409 `at_work`. A request that was refused may be sent again with its key. Keys of "
    "other people are other keys.",
)  # fmt: skip
PREFER = OpenApiParameter(
    "Prefer", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description=f"`wait=N`: wait up to N seconds, at most {waiting.LONGEST}, for the analysis. Where the server has no "
    "place for one who waits the answer comes at once. `Preference-Applied` says that it waited.",
)  # fmt: skip


class PatientOfPhotoSerializer(strict.Serializer):
    """``is_new``: there was none of this code."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    is_new = serializers.BooleanField()


class ArrivedPhotoSerializer(AnalysedPhotoSerializer):
    """``duplicate``: the clinic has had this file; then ``not_taken`` names what was said of it otherwise than it
    stands there. ``given_back``: its stored file had been lost and was stored again. ``patient``: whose it is, null
    where it is not filed."""

    duplicate = serializers.BooleanField()
    given_back = serializers.BooleanField()
    not_taken = serializers.ListField(child=serializers.CharField())
    patient = PatientOfPhotoSerializer(allow_null=True)

    class Meta(AnalysedPhotoSerializer.Meta):
        fields = [*AnalysedPhotoSerializer.Meta.fields, "duplicate", "given_back", "not_taken", "patient"]


def key_of(request: ApiRequest) -> str:
    """The ``Idempotency-Key``; "" for none. Raises Refused (400)."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Refused(400, "bad_key", _("An Idempotency-Key has 1 to 200 letters, digits and signs."))
    return key


def as_text(sent: dict[str, Any], data: bytes) -> str:
    """All that was sent, as text that is the same for the same."""
    said = {name: str(value) for name, value in sent.items() if name != "file"}
    return json.dumps([said, sent["file"].name, hashlib.sha256(data).hexdigest()], sort_keys=True)


def require_usable(arrival: Arrival, *, is_no_name: bool) -> None:
    """Raise ValidationError where a patient would be made of a code that may not be one, and Refused (409) where what
    is said does not fit the lesion."""
    try:
        arrival.require_fit()
    except Elsewhere as wrong:
        raise elsewhere(wrong) from None
    if arrival.lesion or not arrival.code or patients.with_code(arrival.clinic, arrival.code):
        return
    if why := why_code_is_taken(arrival.clinic, arrival.code):
        raise ValidationError({"patient_code": [why]})
    try:
        identifying.require_no_name(arrival.code, confirmed=is_no_name)
    except DjangoValidationError:
        looks, how = _("This looks like a person's name."), _("Send true if the code names nobody.")
        raise ValidationError({"patient_code": [looks], "code_is_no_name": [how]}) from None


def store_it(arrival: Arrival, sent: dict[str, Any], data: bytes) -> tuple[Photo, bool]:
    """Store the photo where it belongs; the photo and whether it is new. Raises Refused."""
    taken = (sent["captured_at"], sent["captured_offset"]) if sent.get("captured_at") else None
    try:
        photo, is_new = take_in(
            user=arrival.user, clinic=arrival.clinic, data=data, name=sent["file"].name, lesion=arrival.home,
            kind=sent["kind"], taken=taken,
        )  # fmt: skip
        if not is_new:
            arrival.require_same(photo)
    except imaging.PhotoRejected as refused:
        code = 413 if refused.code == "too_large" else 400
        raise Refused(code, refused.code, refusal_words(refused)) from None
    except store.StorageFull:
        raise Refused(507, "storage_full", photo_not_stored()) from None
    except capture.Gone:
        gone = _("The lesion or its patient was removed meanwhile. Nothing was stored.")
        raise Refused(409, "gone", gone) from None
    except Elsewhere as wrong:
        raise elsewhere(wrong) from None
    return photo, is_new


def elsewhere(wrong: Elsewhere) -> Refused:
    """What is said of a lesion or a known photo that does not fit what stands."""
    said = {
        "lesion": _("This photo is here already, in another lesion. Nothing was changed."),
        "patient_code": _("This is another patient's, or nobody's yet. Nothing was changed."),
        "site": _("The lesion lies at another site. Nothing was changed."),
    }
    more = {"photo": wrong.photo.pk} if wrong.photo else {}
    return Refused(409, wrong.field, said[wrong.field], more=more)


def not_taken(sent: dict[str, Any], photo: Photo) -> list[str]:
    """What was said of a photo that is here already and stands otherwise there."""
    other = ["kind"] if photo.kind != sent["kind"] else []
    if sent.get("captured_at") and sent["captured_at"] != photo.captured_at:
        other.append("captured_at")
    return other


def wait_for(request: ApiRequest, photo: Photo) -> bool:
    """Wait for the photo's analysis as long as the caller wishes; whether it was waited for."""

    def is_over() -> bool:
        found = current_analysis(photo)
        return found is None or found.job is None or found.job.state in (Job.State.DONE, Job.State.FAILED)

    return waiting.wait(waiting.wished(request), is_over)


def at_work() -> Refused:
    message = _("The same request is being worked on. Send it again in a moment.")
    return Refused(409, "at_work", message, wait=2)


def key_reused() -> Refused:
    return Refused(
        422, "key_reused", _("This Idempotency-Key came before with something else. Nothing was stored.")
    )
