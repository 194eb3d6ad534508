"""Anatomic sites a lesion can lie on, in the order lists show them; and the wider ones that sources know only."""

from django.utils.translation import gettext_lazy as _

ANATOMIC_SITES = (
    ("scalp", _("Scalp")),
    ("forehead", _("Forehead")),
    ("nose", _("Nose")),
    ("periorbital", _("Around the eye")),
    ("cheek", _("Cheek")),
    ("ear", _("Ear")),
    ("lip", _("Lip")),
    ("chin", _("Chin")),
    ("neck", _("Neck")),
    ("chest", _("Chest")),
    ("abdomen", _("Abdomen")),
    ("back", _("Back")),
    ("buttock", _("Buttock")),
    ("genital", _("Genital area")),
    ("shoulder", _("Shoulder")),
    ("upper_arm", _("Upper arm")),
    ("forearm", _("Forearm")),
    ("hand", _("Hand")),
    ("palm", _("Palm")),
    ("finger", _("Finger")),
    ("thigh", _("Thigh")),
    ("lower_leg", _("Lower leg")),
    ("foot", _("Foot")),
    ("sole", _("Sole")),
    ("toe", _("Toe")),
    ("other", _("Other")),
)
SITE_KEYS = tuple(key for key, _label in ANATOMIC_SITES)
# What is told of photos from elsewhere; nobody is asked for it who sees the patient.
WIDER_SITES = (
    ("head_neck", _("Head or neck")),
    ("face", _("Face")),
    ("trunk", _("Trunk")),
    ("front_of_trunk", _("Front of the trunk")),
    ("side_of_trunk", _("Side of the trunk")),
    ("upper_limb", _("Arm or hand")),
    ("lower_limb", _("Leg or foot")),
    ("palm_or_sole", _("Palm or sole")),
    ("oral_or_genital", _("Mouth or genital area")),
)
SITES = ANATOMIC_SITES + WIDER_SITES
_NARROWER = {
    "head_neck": ("scalp", "ear", "neck", "face"),
    "face": ("forehead", "nose", "periorbital", "cheek", "lip", "chin"),
    "trunk": ("front_of_trunk", "side_of_trunk", "back", "buttock"),
    "front_of_trunk": ("chest", "abdomen"),
    "upper_limb": ("shoulder", "upper_arm", "forearm", "hand"),
    "hand": ("palm", "finger"),
    "lower_limb": ("thigh", "lower_leg", "foot"),
    "foot": ("sole", "toe"),
    "palm_or_sole": ("palm", "sole"),
    "oral_or_genital": ("genital",),
}


def within(site: str) -> set[str]:
    """The site and all that lie in it."""
    return {site}.union(*(within(part) for part in _NARROWER.get(site, ())))


def name(site: str) -> str:
    """The site in the reader's language; '' for none, the word itself for one that is not known."""
    return str(_NAMES.get(site, site))


_NAMES = dict(SITES)
