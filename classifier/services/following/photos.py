"""Which photos count for alarms that heed no diagnosis: of each patient the first since the record began.

Where the patient is not known the lesion counts. Drawings are no patient's photos.
"""

from collections.abc import Mapping

from classifier.metrics.counting import CLOSE_UP, set_aside
from classifier.metrics.familiarity import is_unlike
from classifier.models import Monitor
from classifier.services.following.cases import Told, answers, unit_of
from classifier.services.following.rules import LIKENESS, OF_PHOTOS, QUALITY

_AT_ONCE = 2000


def find(row: Monitor) -> dict[str, list[Told]]:
    """By endpoint the photos in the order in which they were asked about. A hit is one that is like the training
    photos, of those whose answer counts; one that was not warned about, of close-ups, be there anything to judge on
    them or not."""
    found: dict[str, dict[tuple[str, int], Told]] = {name: {} for name in OF_PHOTOS}
    rows = answers(row).filter(
        requested_at__gt=row.started_at, scores__isnull=False, photo__is_synthetic=False
    )
    columns = ("photo", "photo__lesion", "photo__lesion__patient", "photo__kind", "quality", "unlike")
    for photo, lesion, patient, kind, quality, unlike in (
        rows.order_by("requested_at", "pk").values_list(*columns).iterator(chunk_size=_AT_ONCE)
    ):
        unit = unit_of(lesion, patient)
        for name, hit in _hits(kind, quality, unlike).items():
            found[name].setdefault(unit, Told(lesion, unit, hit, photo))
    return {name: list(of_patient.values()) for name, of_patient in found.items()}


def _hits(kind: str, quality: Mapping | None, unlike: float | None) -> dict[str, bool]:
    hits = {}
    if unlike is not None and not set_aside(kind, quality):
        hits[LIKENESS] = not is_unlike(unlike)
    if quality is not None and kind == CLOSE_UP:
        hits[QUALITY] = not quality.get("warnings")
    return hits
