"""What speaks against the scores of an answer, in sentences that stand before them wherever they are told."""

from django.utils.translation import gettext_lazy

from classifier.models import Analysis
from classifier.presenters import unlike
from classifier.presenters.differential import is_large
from skinclinic.web.counts import gettext as _

WARNING_WORDS = {
    "too_dark": gettext_lazy("very dark"),
    "too_bright": gettext_lazy("overexposed"),
    "blurred": gettext_lazy("blurred"),
    "too_small": gettext_lazy("few pixels"),
    "little_skin": gettext_lazy("little skin"),
}


def of_answer(found: Analysis) -> list[str]:
    """All there is to say of a finished analysis; [] where nothing speaks against it."""
    told = unlike.told(found.unlike, found.model_version.manifest)
    return [*([told.text] if told.is_unlike else []), *of_photo(found)]


def of_photo(found: Analysis) -> list[str]:
    """The same without its likeness to the model's training photos."""
    cautions = []
    if found.model_version.manifest.get("background_classes") and is_large(found.background):
        share = round((found.background or 0) * 100)
        cautions.append(_("Probably not among these 12 (%(share)s %%).") % {"share": share})
    if warnings := (found.quality or {}).get("warnings"):
        words = ", ".join(str(WARNING_WORDS[code]) for code in warnings)
        cautions.append(_("This photo may be unfit:") + f" {words}.")
    return cautions
