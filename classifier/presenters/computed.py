"""How an answer was computed, in words: by which library and how finely."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

PRECISION_WORDS = {
    "f32": _("full precision (f32)"),
    "bf16": _("bfloat16 (bf16)"),
    "f16": _("half precision (f16)"),
}


def in_words(runtime: str, precision: str) -> str:
    """ "OpenVINO 2026.4.1, full precision (f32)"; of answers from before this was kept, that it is not known."""
    if not precision:
        return gettext("not recorded when it was analysed")
    return f"{runtime}, {PRECISION_WORDS.get(precision, precision)}"
