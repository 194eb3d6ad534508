"""The jobs that run a model once before anybody uses it, check its heatmaps, and write it for other programs."""

import logging
from collections.abc import Sequence
from functools import partial

from classifier.models import ModelExport, ModelVersion
from classifier.runtimes import memory
from classifier.services.models import exports, map_checks, proof, running
from skinclinic.engine import jobs, work
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
        with memory.told():
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
        with memory.told():
            found = run(version.path)
        return [partial(map_checks.store, version.manifest, found)]
    except ModelRejected as error:
        return [JobError(error.code, error.message)]


@jobs.job(
    exports.JOB,
    transient=(MemoryError, TimeoutError),
    on_change=work.follow(ModelExport),
    queue=jobs.BATCH,
)
def export_model(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Write a model for other programs; one that is killed begins anew."""
    from classifier.networks.weights import ModelRejected
    from classifier.runtimes.exporting import CannotExport

    (job,) = rows
    row = ModelExport.objects.filter(pk=job.subject).select_related("model_version").first()
    if row is None:
        return [lambda: None]
    try:
        with memory.told():
            made = exports.make(row, partial(jobs.progress, job))
    except (ModelRejected, CannotExport) as error:
        return [JobError(error.code, str(error))]
    except OSError as error:
        log.warning("%s cannot be written: %s", row, error)
        return [JobError("not_written", "The files could not be written: the disk may be full.")]
    except (RuntimeError, ValueError, TypeError) as error:
        # The converter's words are a stack of layers; they are for the log.
        number = jobs.number_for(error)
        return [JobError("does_not_convert", f"This network could not be converted (number {number}).")]
    return [partial(exports.store, row, made)]
