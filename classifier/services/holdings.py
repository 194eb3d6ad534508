"""Files that models, evaluations, trainings and tried photos name."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from classifier.models import Evaluation, ModelVersion, Training, TryRun
from classifier.networks.weights import WEIGHTS_FILE
from classifier.services.evaluation.run import REPORT
from skinclinic.services import holdings
from skinclinic.services.holdings import MODELS, PHOTOS, Held


@holdings.names_files
def of_models(alias: str) -> Iterator[Held]:
    """Those that lie in the home; others are an operator's own files."""
    versions = ModelVersion._base_manager.using(alias).order_by("pk")
    for name, folder, digest in versions.values_list("name", "folder", "weights_sha256"):
        if not PurePosixPath(folder).is_absolute():
            yield Held(f"{MODELS}/{folder}/{WEIGHTS_FILE}", f"model {name}", digest)
            yield Held(f"{MODELS}/{folder}/manifest.json", f"model {name}")


@holdings.names_files
def of_evaluations(alias: str) -> Iterator[Held]:
    done = Evaluation._base_manager.using(alias).filter(state=Evaluation.State.DONE)
    for key, name in done.values_list("pk", "name"):
        yield Held(f"evaluations/{key}/{REPORT}", f"evaluation {name}")


@holdings.names_files
def of_tried_photos(alias: str) -> Iterator[Held]:
    for key, file in TryRun._base_manager.using(alias).values_list("pk", "file_key"):
        yield Held(f"{PHOTOS}/{file}", f"tried photo {key}")


def evaluation_folders() -> set[str]:
    return {str(key) for key in Evaluation.objects.values_list("pk", flat=True)}


def training_folders() -> set[str]:
    return {str(key) for key in Training.objects.values_list("pk", flat=True)}


holdings.owned |= {"evaluations": evaluation_folders, "training": training_folders}
