"""Patients, lesions, photos, diagnoses, people: rows as JSON."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.reverse import reverse

from skinclinic.api import strict
from skinclinic.api.base import ClinicRowSerializer, NoteText, PlainText
from skinclinic.api.ranked import ChecksIcd10, DifferentialSerializer
from skinclinic.forms.pathology import not_in_the_future
from skinclinic.forms.patients import UNANSWERED
from skinclinic.models import Clinic, Diagnosis, Invitation, Lesion, Member, Patient, Photo, User
from skinclinic.services import covering, identifying, patient_codes, photo_answers
from skinclinic.services.binning.taken import why_code_is_taken
from skinclinic.services.photos import camera_time
from skinclinic.vocabulary import asked
from skinclinic.vocabulary.ranked import Ranked
from skinclinic.vocabulary.sites import SITES


def a_past_day(day: date | None) -> date | None:
    """The day; raises ValidationError for one that forms would not take either."""
    try:
        return not_in_the_future(day)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages, code=error.code) from None


# Each "yes", "no", "unknown" (the patient does not know) or "" (not asked).
_HISTORY = [name for name, _label in asked.HISTORY]


class DiseaseSerializer(strict.Serializer):
    """``names``: by language. ``tier``: malignant, premalignant or benign."""

    key = serializers.CharField()
    names = serializers.DictField(child=serializers.CharField(), help_text="{language: name}")
    tier = serializers.CharField()
    icd10 = serializers.CharField()
    icd10_cm = serializers.CharField()


class SiteSerializer(strict.Serializer):
    """``name``: in the language that was asked for."""

    key = serializers.CharField()
    name = serializers.CharField()


class OwnClinicSerializer(strict.Serializer):
    """A clinic of the caller's, and the role there."""

    slug = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()


class MeSerializer(strict.Serializer):
    """Who is calling."""

    username = serializers.CharField()
    display_name = serializers.CharField()
    clinics = OwnClinicSerializer(many=True)


class ClinicSerializer(strict.ModelSerializer):
    role = serializers.SerializerMethodField()

    class Meta:
        model = Clinic
        fields = ["slug", "name", "impression_first", "try_page_open", "role"]
        read_only_fields = ["slug"]

    def get_role(self, clinic: Clinic) -> str:
        return self.context["roles"].get(clinic.pk, "")


class PatientSerializer(ClinicRowSerializer):
    """A code that looks like a person's name is refused (400, ``fields`` has ``code`` and ``code_is_no_name``) unless
    ``code_is_no_name`` says that it names nobody."""

    code = PlainText(max_length=64)
    code_is_no_name = serializers.BooleanField(
        required=False, write_only=True, help_text="The code only looks like a name and names nobody."
    )
    ethnicity = NoteText(max_length=80, required=False, allow_blank=True)
    referrer = PlainText(max_length=400, required=False, allow_blank=True)

    read_by_view = ("clinic",)

    class Meta:
        model = Patient
        fields = [
            "id", "clinic", "code", "code_is_no_name", "birth_year", "sex", "skin_type", "ethnicity",
            "research_consent", "consent_on", *_HISTORY, "referrer", "created_at",
        ]  # fmt: skip

    def validate(self, values: dict) -> dict:
        confirmed = values.pop("code_is_no_name", False)
        if "code" in values and values["code"] != getattr(self.instance, "code", None):
            try:
                identifying.require_no_name(values["code"], confirmed=confirmed)
            except DjangoValidationError as error:
                how = _("Send true if the code names nobody.")
                raise serializers.ValidationError(
                    {"code": [_("This looks like a person's name.")], "code_is_no_name": [how]},
                    code=error.code,
                ) from None
        before = self.instance.research_consent if self.instance else ""
        if values.get("consent_on") and not (before or values.get("research_consent")):
            raise serializers.ValidationError({"research_consent": [UNANSWERED]}, code="unanswered")
        return values

    def validate_consent_on(self, day: date | None) -> date | None:
        return a_past_day(day)

    def validate_code(self, code: str) -> str:
        code = patient_codes.tidy(code)
        identifying.require_usable(code)
        others = Patient.objects.filter(clinic=self.clinic_of_row(), code__iexact=code)
        if self.instance:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(
                _("This clinic already has a patient with this code."), code="taken"
            )
        if why := why_code_is_taken(self.clinic_of_row(), code):
            raise serializers.ValidationError(why, code="in_bin")
        return code

    def validate_birth_year(self, year: int | None) -> int | None:
        if year is not None and year > timezone.localdate().year:
            raise serializers.ValidationError(_("This year is in the future."), code="future")
        return year


class EffectSerializer(strict.Serializer):
    """``count`` of ``what``, and the same in words."""

    what = serializers.CharField()
    count = serializers.IntegerField()
    text = serializers.CharField()


class ChangedPatientSerializer(PatientSerializer):
    """``effects``: what followed from a consent that was taken back, counted."""

    effects = EffectSerializer(many=True, read_only=True)

    class Meta(PatientSerializer.Meta):
        fields = [*PatientSerializer.Meta.fields, "effects"]


class FamiliaritySerializer(strict.Serializer):
    """``state``: ``like`` the photos the model was trained on, ``unlike`` them (its scores may mean little), or
    ``not_evaluable``. ``distance``: from them, in parts of the limit above which a photo is unlike them; one in twenty
    photos like them lies above it."""

    state = serializers.ChoiceField(photo_answers.STATES)
    distance = serializers.FloatField(allow_null=True)


class LesionSerializer(ClinicRowSerializer):
    """``top_disease``, ``top_score``, ``malignant_sum`` and ``training_photos`` are those of ``answer_photo``: of the
    close-ups of the last visit the one with the highest malignant sum. They are null while the own impression comes
    first, ``training_photos`` also where there is no answer.
    ``set_aside`` says why photos that were analysed give no answer: overview, dermoscopic or unfit."""

    note = NoteText(max_length=400, required=False, allow_blank=True)
    site_x = serializers.FloatField(min_value=0, max_value=1, allow_null=True, required=False)
    site_y = serializers.FloatField(min_value=0, max_value=1, allow_null=True, required=False)
    # Null while the own impression comes first.
    top_disease = serializers.CharField(read_only=True, allow_null=True)
    training_photos = serializers.SerializerMethodField()
    assignee: "serializers.SlugRelatedField[User]" = serializers.SlugRelatedField(
        slug_field="username", read_only=True
    )

    read_by_view = ("clinic",)

    class Meta:
        model = Lesion
        fields = [
            "id", "clinic", "patient", "site", "site_x", "site_y", "note", "state", "top_disease", "top_score",
            "malignant_sum", "training_photos", "answer_photo", "set_aside", "is_proven", "proven_disease", "to_decide",
            "biopsy_on", "follow_up_on", "assignee", "cover", "photo_count", "created_at",
        ]  # fmt: skip
        read_only_fields = [
            "state", "top_disease", "top_score", "malignant_sum", "answer_photo", "set_aside", "is_proven",
            "proven_disease", "to_decide", "biopsy_on", "follow_up_on", "cover", "photo_count", "created_at",
        ]  # fmt: skip

    def validate_patient(self, patient: Patient | None) -> Patient | None:
        if patient is not None and patient.clinic != self.clinic_of_row():
            raise serializers.ValidationError(
                _("There is no such patient in this clinic."), code="does_not_exist"
            )
        return patient

    @extend_schema_field(FamiliaritySerializer(allow_null=True))
    def get_training_photos(self, lesion: Lesion) -> dict | None:
        """Whether the photo of the answer is like those the model was trained on."""
        found = self.context.get("familiarity", {}).get(lesion.answer_photo_id)
        return asdict(found) if found and lesion.top_disease else None

    def to_representation(self, lesion: Lesion) -> dict:
        shown = super().to_representation(lesion)
        if lesion.told_by_id in self.context.get("hidden_photos", ()):
            shown |= {"top_disease": None, "top_score": None, "malignant_sum": None, "training_photos": None}
        return shown


class BoxSerializer(strict.Serializer):
    """A square in pixels of the stored photo."""

    x = serializers.IntegerField()
    y = serializers.IntegerField()
    size = serializers.IntegerField()


@extend_schema_field(OpenApiTypes.DATETIME)
class CameraTimeField(serializers.DateTimeField):
    """When a photo was taken, by the camera's clock: with a zone only where one is known, and never another hour."""

    def __init__(self, **kwargs: Any):
        super().__init__(source="*", allow_null=True, required=False, **kwargs)

    def enforce_timezone(self, value: datetime) -> datetime:
        return value

    def to_representation(self, value: Any) -> Any:
        return value.taken

    def run_validation(self, data: Any = empty) -> Any:
        if data in (None, ""):
            return {"captured_at": None, "captured_offset": None}
        return super().run_validation(data)

    def to_internal_value(self, value: Any) -> Any:
        given = super().to_internal_value(value)
        offset = given.utcoffset()
        at = camera_time(given.replace(tzinfo=None))
        if at is None:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss")
        if at != getattr(getattr(self.parent, "instance", None), "captured_at", None):
            # Where the camera was it may have been tomorrow already.
            not_in_the_future(given.date() - timedelta(days=1))
        return {
            "captured_at": at,
            "captured_offset": None if offset is None else round(offset.total_seconds() / 60),
        }


class PhotoSerializer(ClinicRowSerializer):
    captured_at = CameraTimeField()
    box = BoxSerializer(read_only=True)
    # What a cover says it was drawn on; changes whenever the stored picture does.
    picture_state = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Photo
        fields = [
            "id", "clinic", "lesion", "kind", "captured_at", "original_name", "sha256", "width", "height",
            "source_format", "notes", "is_synthetic", "box", "picture", "picture_state", "image",
            "thumbnail", "created_at",
        ]  # fmt: skip
        read_only_fields = [name for name in fields if name not in ("kind", "captured_at")]

    def get_picture_state(self, photo: Photo) -> str:
        return covering.stand(photo)

    def get_image(self, photo: Photo) -> str:
        return reverse("api-photo-image", args=[photo.pk], request=self.context.get("request"))

    def get_thumbnail(self, photo: Photo) -> str:
        return reverse("api-photo-thumbnail", args=[photo.pk], request=self.context.get("request"))


class NewPhotoSerializer(strict.Serializer):
    """A multipart upload. ``lesion``: one that is there. Without it a new one is opened: at ``site``, under the patient
    of ``patient_code``, who is made where the clinic has none of that code. Sent beside ``lesion``, both must be as
    they stand (409 ``patient_code``, ``site``). ``captured_at``: a day or a time, before what the file says itself."""

    file = serializers.FileField()
    lesion = serializers.IntegerField(required=False)
    patient_code = PlainText(max_length=64, required=False)
    code_is_no_name = serializers.BooleanField(
        default=False, help_text="The code only looks like a name and names nobody."
    )
    site = serializers.ChoiceField(SITES, required=False)
    captured_at = CameraTimeField()
    kind = serializers.ChoiceField(Photo.Kind.choices, default=Photo.Kind.CLOSE_UP)
    clinic = serializers.SlugField(required=False)

    def validate_patient_code(self, code: str) -> str:
        code = patient_codes.tidy(code)
        identifying.require_usable(code)
        return code


class DiagnosisSerializer(ChecksIcd10, ClinicRowSerializer):
    """``disease`` is one of the 12 keys; for any other diagnosis give ``icd10`` and ``text``."""

    text = NoteText(max_length=2000, required=False, allow_blank=True)
    replaces = serializers.IntegerField(required=False, allow_null=True, write_only=True)
    differential = DifferentialSerializer(required=False)

    class Meta:
        model = Diagnosis
        fields = [
            "id", "clinic", "lesion", "kind", "disease", "icd10", "text", "confirmed_by", "diagnosed_on",
            "differential", "created_at", "created_by", "withdrawn_at", "replaces",
        ]  # fmt: skip
        read_only_fields = ["created_at", "created_by", "withdrawn_at"]

    def validate_diagnosed_on(self, day: date | None) -> date | None:
        return a_past_day(day)

    def validate(self, values: dict) -> dict:
        if not (values.get("disease") or values.get("icd10") or values.get("text")):
            raise serializers.ValidationError({"disease": [_("Choose a diagnosis.")]})
        differential = values.get("differential")
        if differential and values["kind"] == Diagnosis.Kind.PATHOLOGY:
            raise serializers.ValidationError(
                {
                    "differential": [
                        _("A pathology is one diagnosis. A differential is part of an impression.")
                    ]
                }
            )
        first = Ranked(*(values.get(name, "") for name in ("disease", "icd10", "text")))
        if differential and any(one.names(first) for one in differential.others):
            message = _("“%(name)s” is named twice. Take one out.") % {"name": first.said}
            raise serializers.ValidationError({"differential": [message]})
        if values["kind"] == Diagnosis.Kind.PATHOLOGY and not values.get("confirmed_by"):
            raise serializers.ValidationError({"confirmed_by": [_("Say how the pathology was confirmed.")]})
        return values


class MemberSerializer(ClinicRowSerializer):
    user = serializers.CharField(source="user.username", read_only=True)
    display_name = serializers.CharField(source="user.display_name", read_only=True)
    is_service = serializers.BooleanField(
        source="user.is_service", read_only=True, help_text="A program of the clinic, not a person."
    )

    class Meta:
        model = Member
        fields = ["id", "clinic", "user", "display_name", "is_service", "role", "is_active", "joined_at"]
        read_only_fields = ["joined_at"]


class InvitationSerializer(ClinicRowSerializer):
    read_by_view = ("clinic",)

    class Meta:
        model = Invitation
        fields = ["id", "clinic", "email", "role", "created_at", "expires_at", "accepted_at", "revoked_at"]
        read_only_fields = ["created_at", "expires_at", "accepted_at", "revoked_at"]
