"""What decides the outcome of a training: as a file in its folder. No torch needed to read it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier.networks.architectures import design_of
from classifier.networks.preprocess import Preprocessing
from classifier.training.settings import Settings
from skinclinic.files.whole import write_whole
from skinclinic.imaging import Box
from skinclinic.vocabulary.diseases import DISEASE_KEYS

IMAGENET, RANDOM = "imagenet", "random"
SMALLEST_IMAGE, LARGEST_IMAGE = 32, 1024
# With fewer photos than this the first half of pretrained blocks stays as it is: there is too little to
# learn them anew from.
FEW_PHOTOS = 2000


@dataclass(frozen=True)
class Sample:
    """One photo: its file, its content's hash, the square used, its output's number, whose it is."""

    path: str
    sha256: str
    box: Box
    label: int
    group: str


@dataclass(frozen=True)
class Plan:
    """All that one training depends on, beside its photos.

    ``background``: names of the outputs after the 12 diseases. ``init``: "imagenet", "random" or a file.
    ``seed`` decides weights, order and views; ``split_seed`` which patients validate, the same for all runs
    of a group. ``frozen_blocks``: how many first blocks keep their starting weights. ``max_steps`` 0: as many
    as the epochs have. ``validation_share``: of the patients.
    """

    architecture: str
    init: str
    seed: int
    split_seed: int
    image_size: int
    frozen_blocks: int
    background: tuple[str, ...] = ()
    max_steps: int = 0
    validation_share: float = 0.2
    dropout: float = 0.2
    settings: Settings = field(default_factory=Settings)

    @property
    def outputs(self) -> int:
        """Number of the network's outputs."""
        return len(DISEASE_KEYS) + len(self.background)

    @property
    def keeps_normalisation(self) -> bool:
        """Whether batch normalisation keeps the statistics it starts with, which small batches would blur."""
        return self.init != RANDOM

    @property
    def preprocessing(self) -> Preprocessing:
        """What the network expects."""
        design = design_of(self.architecture)
        return Preprocessing(self.image_size, design.mean, design.std, design.channel_order)

    def label_name(self, label: int) -> str:
        """The disease key or background name of an output."""
        return (*DISEASE_KEYS, *self.background)[label]

    def to_json(self) -> dict[str, Any]:
        """Return the plan with JSON types only."""
        return {**asdict(self), "background": list(self.background)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Plan":
        """Read what ``to_json`` gave."""
        values = dict(content)
        values["settings"] = Settings(**values["settings"])
        values["background"] = tuple(values["background"])
        return cls(**values)


def settings_for(architecture: str, init: str, *, epochs: int, batch: int) -> Settings:
    """The rates that suit a network and where it starts from."""
    plain = Settings(epochs=epochs, batch=batch, drawn_in_batch=0)
    if init == RANDOM:
        return replace(plain, rate=1e-3, head_rate=1e-3)
    if architecture.startswith("resnet") or ":" in architecture:
        return replace(plain, rate=1e-4, head_rate=1e-3)
    return plain


def photos_fingerprint(samples: Sequence[Sample]) -> str:
    """SHA-256 over the sorted hashes of the photos' contents, a line each: which photos these are."""
    lines = "".join(f"{sha256}\n" for sha256 in sorted(sample.sha256 for sample in samples))
    return hashlib.sha256(lines.encode()).hexdigest()


def fingerprint(plan: Plan, samples: Sequence[Sample]) -> str:
    """SHA-256 over all that decides the outcome; a checkpoint goes on only under the same."""
    rows = [[s.sha256, asdict(s.box), s.label, s.group] for s in samples]
    text = json.dumps([plan.to_json(), rows], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write the list of photos."""
    write_whole(path, json.dumps([asdict(sample) for sample in samples], ensure_ascii=False))


def read_samples(path: Path) -> list[Sample]:
    """Read what ``write_samples`` wrote."""
    return [Sample(**{**row, "box": Box(**row["box"])}) for row in json.loads(path.read_text())]
