"""What patients are asked: symptoms of a lesion at a visit, and what came before; and what archives call the same."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

NOT_ASKED, YES, NO, UNKNOWN = "", "yes", "no", "unknown"
# What was not asked is never a "no", nor is what the patient does not know.
ANSWERS = (
    (NOT_ASKED, pgettext_lazy("an answer of a patient", "Not asked")),
    (YES, pgettext_lazy("an answer of a patient", "Yes")),
    (NO, pgettext_lazy("an answer of a patient", "No")),
    (UNKNOWN, pgettext_lazy("an answer of a patient", "Not known")),
)
SYMPTOMS = (
    ("itch", _("Itch")),
    ("bleed", _("Bleeding")),
    ("grew", _("Growth")),
    ("changed", pgettext_lazy("a symptom", "Change")),
    ("hurt", _("Pain")),
    ("elevation", _("Elevation")),
)
HISTORY = (
    ("skin_cancer_history", _("Skin cancer before")),
    ("other_cancer_history", _("Other cancer before")),
    ("family_history", _("Skin cancer in the family")),
    ("immunosuppressed", _("Immunosuppression or transplant")),
    ("smoke", _("Smokes")),
    ("drink", _("Drinks alcohol")),
    ("pesticide", _("Exposed to pesticides")),
    ("has_piped_water", _("Piped water at home")),
    ("has_sewage_system", _("Sewage system at home")),
)
# Columns of archives (PAD-UFES-20) that say the same. Theirs of cancer counts the family, too.
_COLUMNS = {
    **dict(SYMPTOMS),
    **{name: word for name, word in HISTORY if name not in ("skin_cancer_history",)},
    "skin_cancer_history": _("Skin cancer before, patient or family"),
    "cancer_history": _("Cancer before, patient or family"),
    "diameter_1": _("Largest diameter in mm"),
    "diameter_2": _("Diameter across it in mm"),
}
_VALUES = {"true": YES, "false": NO, "unk": UNKNOWN}


def of_column(name: str, text: str) -> tuple[str, str] | None:
    """What a column of an archive's table says in the words of these pages; None for one that is not about this."""
    word = _COLUMNS.get(name.strip().lower())
    if word is None:
        return None
    answer = _VALUES.get(text.strip().lower())
    return str(word), text if answer is None else str(dict(ANSWERS)[answer])


def answers_in(cells: Mapping[str, str], questions: Iterable[tuple[str, object]]) -> dict[str, str]:
    """The answers that a row of an archive's table gives to these questions; of the others it says nothing. What counts
    the family there is no answer of the patient."""
    said = {name: _VALUES.get(cells.get(name, "").strip().lower(), "") for name, _label in questions}
    return {name: answer for name, answer in said.items() if answer and name != "skin_cancer_history"}
