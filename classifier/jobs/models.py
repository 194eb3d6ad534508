"""The job that runs a model once, before anybody uses it."""

import logging
from collections.abc import Sequence

from classifier.drawings.synthetic import plain_skin, synthetic_lesion
from classifier.models import ModelVersion
from classifier.services.models import proof, running
from skinclinic.engine import jobs
from skinclinic.engine.jobs import JobError
from skinclinic.models import Job

log = logging.getLogger(__name__)
_SIDE = 256


@jobs.job(proof.JOB, transient=(TimeoutError,), queue=jobs.PHOTOS)
def prove(rows: Sequence[Job]) -> Sequence[jobs.Outcome]:
    """Run a model on two drawings; it has worked when all its answers are numbers."""
    from classifier.analysing.pipeline import NonFiniteScores, analyse
    from classifier.networks.weights import ModelRejected

    (row,) = rows
    version = ModelVersion.objects.filter(pk=row.subject).first()
    if version is None:
        return [lambda: None]
    drawings = [synthetic_lesion("mm", 1, _SIDE), plain_skin(1, _SIDE)]
    try:
        runtime = running.for_people(version.path)
        analyse(runtime, drawings)
    except ModelRejected as error:
        return [JobError(error.code, error.message)]
    except NonFiniteScores as error:
        return [JobError("scores_not_finite", str(error))]
    except MemoryError:
        return [JobError("out_of_memory", "There was not enough memory for it. Try again later.")]
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError) as error:
        # The library's words are a stack of layers; they are for the log.
        number = jobs.number_for(error)
        return [JobError("does_not_compute", f"The network could not compute an answer (number {number}).")]
    return [lambda: None]
