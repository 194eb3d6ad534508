"""A person's own differential as JSON."""

from django.utils.translation import gettext as _
from rest_framework import serializers

from skinclinic.api import strict
from skinclinic.api.base import NoteText, PlainText
from skinclinic.models.diagnosis import DISEASE_CHOICES
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.ranked import CONFIDENCES, MOST, Differential, Ranked, twice


class ChecksIcd10:
    """Of a serializer with ``icd10``: a code in its usual spelling, "" for none."""

    def validate_icd10(self, code: str) -> str:
        if code and not terms.icd10_code(code):
            raise serializers.ValidationError(_("This is no ICD-10 code, such as L40.0."))
        return terms.icd10_code(code) if code else ""


class RankedSerializer(ChecksIcd10, strict.Serializer):
    """A diagnosis: one of the 12 by ``disease``, or another by ``icd10`` and ``text``."""

    disease = serializers.ChoiceField(DISEASE_CHOICES, required=False, allow_blank=True, default="")
    icd10 = PlainText(max_length=8, required=False, allow_blank=True, default="")
    text = NoteText(max_length=200, required=False, allow_blank=True, default="")
    confidence = serializers.ChoiceField(CONFIDENCES, required=False, allow_blank=True, default="")

    def validate(self, values: dict) -> dict:
        if not (values["disease"] or values["icd10"] or values["text"]):
            raise serializers.ValidationError({"disease": [_("Choose a diagnosis.")]})
        return values


class DifferentialSerializer(strict.Serializer):
    """``confidence`` in the first diagnosis; ``others``: ranks 2 to 5, likeliest first."""

    confidence = serializers.ChoiceField(CONFIDENCES, required=False, allow_blank=True, default="")
    others: "serializers.ListSerializer[Ranked]" = serializers.ListSerializer(
        child=RankedSerializer(), required=False, default=list, max_length=MOST
    )

    def to_internal_value(self, data) -> Differential:
        values = super().to_internal_value(data)
        others = tuple(Ranked(**one) for one in values["others"])
        if double := twice(others):
            message = _("“%(name)s” is named twice. Take one out.") % {"name": double.said}
            raise serializers.ValidationError({"others": [message]})
        return Differential(values["confidence"], others)

    def to_representation(self, value) -> dict:
        said = value if isinstance(value, Differential) else Differential.of_json(value)
        return said.to_json() or {"confidence": "", "others": []}
