"""The job that runs a model once, before anybody uses it."""

import logging
from collections.abc import Sequence
from functools import partial

from classifier.models import ModelVersion
from classifier.runtimes import memory
from classifier.services.models import map_checks, proof, running
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job

log = logging.getLogger(__name__)


@jobs.job(proof.JOB, transient=(TimeoutError,), on_change=proof.follow, queue=jobs.PHOTOS)
def prove(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Run a model on two drawings; it has worked when all its answers are numbers. One that has not is no model of the
    clinic's any more (see classifier.services.models.proof)."""
    from classifier.analysing import proving
    from classifier.analysing.pipeline import NonFiniteScores, analyse
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    version = ModelVersion.objects.filter(pk=row.subject).first()
    if version is None:
        return [lambda: None]
    try:
        # By PyTorch first, which names the layer that fails; then as people's photos are.
        proving.prove(version.path)
        analyse(running.for_people(version.path), proving.drawings())
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    except NonFiniteScores as error:
        return [JobError("scores_not_finite", str(error))]
    except MemoryError:
        return [JobError("out_of_memory", jobs.NO_MEMORY)]
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AssertionError) as error:
        # The library's words are a stack of layers; they are for the log.
        number = jobs.number_for(error)
        if memory.is_lacking(error):
            return [JobError("out_of_memory", jobs.NO_MEMORY)]
        return [JobError("does_not_compute", f"The network could not compute an answer (number {number}).")]
    return [partial(map_checks.begin, version)]


@jobs.job(map_checks.JOB, transient=(MemoryError, TimeoutError), queue=jobs.BATCH)
def check_maps(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """How far a model's heatmaps change when parts of it are put at random; behind everybody's photos."""
    from classifier.analysing.map_check import check_maps as run
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    version = map_checks.version_of(row)
    if version is None:
        return [lambda: None]
    try:
        return [partial(map_checks.store, version.manifest, run(version.path))]
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
