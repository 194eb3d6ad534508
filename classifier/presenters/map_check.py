"""How far a model's heatmaps change when parts of its network are put at random, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classifier.models import ModelVersion
from classifier.networks import heatmap_check
from classifier.services.models import map_checks, proof
from skinclinic.models import Job
from skinclinic.presenters.job_errors import words_of

WORDS = {
    heatmap_check.LAST_LAYER: _("the last layer"),
    heatmap_check.LAST_TENTH: _("also the last tenth of the kernels"),
    heatmap_check.ALL: _("all kernels"),
}


@dataclass(frozen=True)
class MapCheck:
    """``rows``: what was put at random, in words, and its figures. ``is_stated``: only the model's description says it.
    ``is_evaluable``: any heatmaps could be compared. Where there are no figures ``is_awaited``: they are being
    computed, ``waits_for_proof``: the model is run first, or ``why_not``: why it failed."""

    pictures: int
    rows: Sequence[tuple[str | Promise, Mapping[str, Any]]]
    is_stated: bool
    is_evaluable: bool
    is_awaited: bool
    waits_for_proof: bool
    why_not: str

    @property
    def may_be_asked(self) -> bool:
        """Whether there is anything to gain by having it computed (again)."""
        return not (self.is_awaited or self.waits_for_proof) and (self.is_stated or not self.rows)


def map_check(version: ModelVersion) -> MapCheck:
    """What the page of a model says of it."""
    found, row = map_checks.figures(version), map_checks.job(version)
    return MapCheck(
        pictures=found.get("pictures", 0),
        rows=[(WORDS[one["randomised"]], one) for one in found.get("rows", ())],
        is_stated=bool(found) and not map_checks.computed(version),
        is_evaluable=bool(found) and heatmap_check.is_evaluable(found),
        is_awaited=bool(row and row.state in (Job.State.QUEUED, Job.State.RUNNING)),
        waits_for_proof=row is None and not found and proof.obstacle(version) is not None,
        why_not=words_of(row) if row and row.state == Job.State.FAILED else "",
    )
