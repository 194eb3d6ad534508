"""How an answer was computed, in words: by which library and how finely."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

PRECISION_WORDS = {
    "f32": _("full precision (f32)"),
    "bf16": _("bfloat16 (bf16)"),
    "f16": _("half precision (f16)"),
}


def of_figures(kept: Mapping[str, Any]) -> str:
    """The same of an evaluation (``Report.computed``); nothing of one from before this was kept."""
    return in_words(", ".join(kept["runtimes"]), kept["precision"]) if kept else ""


def in_words(runtime: str, precision: str) -> str:
    """ "OpenVINO 2026.4.1, full precision (f32)"; of answers from before this was kept, that it is not known."""
    if not precision:
        return gettext("not recorded when it was analysed")
    return f"{runtime}, {PRECISION_WORDS.get(precision, precision)}"
