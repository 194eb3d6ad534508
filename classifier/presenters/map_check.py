"""How far heatmaps change when parts of a network are put at random, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classifier.analysing import map_check_kinds as kinds

WORDS = {
    kinds.LAST_LAYER: _("the last layer"),
    kinds.LAST_TENTH: _("also the last tenth of the kernels"),
    kinds.ALL: _("all kernels"),
}


def map_rows(found: dict) -> list[tuple[str | Promise, dict]]:
    """What was put at random, in words, with mean, least and most of the rank correlations."""
    return [(WORDS[row["randomised"]], row) for row in found.get("rows", ()) if row["randomised"] in WORDS]
