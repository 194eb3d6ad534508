"""Texts for readers in further languages, as the API takes and gives them."""

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from skinclinic.api.base import PlainText

LANGUAGES = {
    "type": "object",
    "properties": {code: {"type": "string"} for code, _name in settings.LANGUAGES},
    "additionalProperties": False,
}


@extend_schema_field(LANGUAGES)
class TextsInField(serializers.DictField):
    """{language: text}, in the place of all that were there; an empty text leaves its language out."""

    def __init__(self, *, longest: int, validators=(), **options):
        text = PlainText(max_length=longest, allow_blank=True, validators=list(validators))
        super().__init__(child=text, required=False, **options)

    def to_internal_value(self, data) -> dict[str, str]:
        codes = [code for code, _name in settings.LANGUAGES]
        if isinstance(data, dict) and (unknown := [str(key)[:20] for key in data if key not in codes]):
            said = _("There is no language “%(unknown)s” here; there are: %(codes)s.")
            raise serializers.ValidationError(said % {"unknown": unknown[0], "codes": ", ".join(codes)})
        found = super().to_internal_value(data)
        return {code: "\n".join(found[code].splitlines()) for code in codes if found.get(code)}
