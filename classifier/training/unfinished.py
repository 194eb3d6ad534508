"""A training that takes hours and goes on where it was stopped: the folder of its parts, and what it was begun with."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skinclinic.files import whole

_ABOUT = "begun-with.json"


class AnotherTraining(ValueError):
    """The folder holds parts of a training that was begun with something else."""


@contextmanager
def parts(folder: Path | None, about: Mapping[str, Any]) -> Iterator[Path]:
    """A folder for the parts of a training, which goes when the training is done. Without ``folder`` it goes in any
    case; else what is in it is gone on with, if ``about`` (plain JSON: all that the training depends on but the
    program) is the same. Raises AnotherTraining."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="skinclinic-training-") as scratch:
            yield Path(scratch)
        return
    now = json.loads(json.dumps(about))
    if (there := _begun_with(folder)) is None:
        if folder.exists() and any(folder.iterdir()):
            raise AnotherTraining(f"{folder} is not empty and holds no training.")
        folder.mkdir(parents=True, exist_ok=True)
        with whole.whole_file(folder / _ABOUT) as file:
            file.write(json.dumps(now, indent=2).encode())
    elif there != now:
        other = ", ".join(sorted(key for key in {*there, *now} if there.get(key) != now.get(key)))
        raise AnotherTraining(f"{folder} holds a training with another {other}. Name another folder.")
    yield folder
    shutil.rmtree(folder)


def _begun_with(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / _ABOUT).read_bytes())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise AnotherTraining(f"{folder} is no folder.") from error
    except ValueError as error:
        raise AnotherTraining(f"{folder / _ABOUT} cannot be read.") from error
    return found if isinstance(found, dict) else {}
