"""Names of what an evaluation counts, in the reader's language."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from classifier.metrics.subgroups import UNKNOWN
from skinclinic.archive import labels
from skinclinic.models import Patient
from skinclinic.vocabulary import sites, skin_types


def label_name(key: str) -> str:
    return labels.name(key, get_language() or "en")


def division_name(name: str) -> str:
    return {
        "age": _("Age"),
        "sex": _("Sex"),
        "skin_type": _("Fitzpatrick skin type"),
        "site": _("Anatomic site"),
        "source": _("Source"),
    }[name]


def group_name(division: str, label: str) -> str:
    """A subgroup's label for people."""
    if label == UNKNOWN:
        return _("not known")
    if division == "age":
        return {"70 and over": _("70 and over")}.get(label, label)
    if division == "sex":
        return str(dict(Patient.Sex.choices).get(label, label))
    if division == "skin_type":
        return skin_types.name(int(label)) or label
    if division == "site":
        return sites.name(label)
    return label
