"""Anatomic sites a lesion can lie on, in the order lists show them."""

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
