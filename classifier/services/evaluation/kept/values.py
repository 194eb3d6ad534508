"""What is told of the patients of an evaluation, kept beside its report: a page does not look through all photos again.

A file for each dataset and model, {what: {"of": what it was worked out from, "told": plain values}}. The photos of a
frozen version change only as ``DatasetVersion.revision`` says (withdrawn, deleted, erased, consent); then, or where the
file is lost, it is worked out anew: of few photos by whoever asks next, of many by a job (``NotYet``). It names nobody.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from classifier.services.evaluation.report import Report
from skinclinic.archive.models import DatasetVersion
from skinclinic.files import whole

# Raise it when what is kept is of another form.
FORM = 2
FILES = "coverage-*.json"


def told(
    report: Report,
    dataset: int,
    model: int,
    what: str,
    make: Callable[[], Any],
    *also: int | None,
    holds: Callable[[Any], bool] = lambda told: True,
) -> Any:
    """What ``make`` tells of a dataset and a model, as JSON has it, from the file where that still holds. ``also``: on
    what else it depends; ``holds``: whether what belongs to it is there."""
    revision = DatasetVersion.objects.filter(pk=dataset).values_list("revision", flat=True).first()
    path, of = _path(report, dataset, model), [FORM, revision, *also]
    there = _read(path).get(what)
    if there and there["of"] == of and holds(there["told"]):
        return there["told"]
    made = json.loads(json.dumps(make()))
    with suppress(OSError):
        _add(path, what, {"of": of, "told": made})
    return made


def ask(report: Report, dataset: int, model: int, what: str) -> None:
    """Note that somebody wants to be told what is not worked out of itself, for the job that looks through."""
    path = _path(report, dataset, model)
    if what not in _read(path):
        with suppress(OSError):
            _add(path, what, {"of": None, "told": None})


def asked(report: Report, dataset: int, model: int) -> list[str]:
    """What is kept, or was asked for."""
    return list(_read(_path(report, dataset, model)))


def _path(report: Report, dataset: int, model: int) -> Path:
    return report.row.folder / f"coverage-{dataset}-{model}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _add(path: Path, what: str, one: dict[str, Any]) -> None:
    """Of two who add at once one may be lost: it is added again when it is asked for."""
    if path.parent.is_dir():
        with whole.whole_file(path) as file:
            file.write(json.dumps(_read(path) | {what: one}).encode())
