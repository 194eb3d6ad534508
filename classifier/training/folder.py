"""The folder of one training and its files, readable and writable without torch.

run.json        {"about": name, group, dataset …; "plan": see Plan}
photos.json     the photos, with label and patient
progress.json   how far it is, for whoever watches
checkpoint.pt   where it goes on after a kill
model/          the model version, once it is done
outcome.json    {"state": "done" | "stopped" | "refused" | "failed", "code", "message"}
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.training.plan import Plan, Sample, read_samples, write_samples
from skinclinic.files.whole import write_whole

RUN, PHOTOS, PROGRESS, OUTCOME, MODEL, LOCK = (
    "run.json", "photos.json", "progress.json", "outcome.json", "model", ".lock",
)  # fmt: skip
DONE, STOPPED, REFUSED, FAILED = "done", "stopped", "refused", "failed"


@dataclass(frozen=True)
class Run:
    """What is in ``run.json`` and ``photos.json``."""

    about: dict[str, Any]
    plan: Plan
    samples: list[Sample]


def prepare(folder: Path, about: dict[str, Any], plan: Plan, samples: list[Sample]) -> None:
    """Write what a training needs; ``run.json`` last, so that its presence says that all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    write_samples(folder / PHOTOS, samples)
    content = {"about": about, "plan": plan.to_json()}
    write_whole(folder / RUN, json.dumps(content, ensure_ascii=False, indent=1))


def read(folder: Path) -> Run:
    """Read what ``prepare`` wrote."""
    content = json.loads((folder / RUN).read_text())
    return Run(content["about"], Plan.from_json(content["plan"]), read_samples(folder / PHOTOS))
