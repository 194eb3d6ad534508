"""Answers told anew whether their photos are like the model's training photos, once the model knows what these are
like: by the features that were kept with the answers."""

import numpy as np

from classifier.models import Analysis, ModelVersion, PhotoFeatures
from classifier.networks import familiarity, weights
from classifier.services.analysis.features import STORED

_AT_ONCE = 500


def tell_anew(version: ModelVersion) -> int:
    """Fill in ``unlike`` of the version's answers that have none and whose features are here; return of how many.
    What is filled in stays when this is killed, and the next call goes on."""
    familiar = familiarity.read(version.path, weights.read_manifest(version.path))
    if familiar is None:
        return 0
    done, after = 0, 0
    while True:
        waiting = Analysis.objects.filter(
            model_version=version, scores__isnull=False, unlike__isnull=True, before_cover=False, pk__gt=after
        )
        rows = list(waiting.order_by("pk").only("pk", "photo_id", "box_x", "box_y", "box_size")[:_AT_ONCE])
        if not rows:
            return done
        after = rows[-1].pk
        kept = PhotoFeatures.objects.filter(model_version=version, photo__in={row.photo_id for row in rows})
        vectors = {(one.photo_id, one.box): np.frombuffer(bytes(one.values), STORED) for one in kept}
        found = [row for row in rows if len(vectors.get((row.photo_id, row.box), ())) == len(familiar.mean)]
        if not found:
            continue
        told = familiar.unlike(np.stack([vectors[(row.photo_id, row.box)] for row in found]))
        for row, unlike in zip(found, told.tolist(), strict=True):
            row.unlike = unlike if np.isfinite(unlike) else None
        Analysis.objects.bulk_update(found, ["unlike"])
        done += len(found)
