"""Training: a step's speed beside a bare loop, its precision, the same weights from the same seed, torchrun."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.nn import functional

from classifier.networks import torchvision_ops
from classifier.training.world import World, joined
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.gpu import trainings
from tests.gpu.alone import ROOT
from tests.gpu.place import Place, in_turns
from tests.gpu.rows import Row, at_least, at_most, holds, measured

TORCHRUN_SECONDS = 120
_FULL = World(0, 1, torch.device("cpu"), None)


def checks(place: Place) -> dict[str, Callable[[], Iterator[Row]]]:
    """What a training does on this device."""
    return {
        "step": lambda: _step(place),
        "precision": lambda: _precision(place),
        **{f"seed, {name}": (lambda name=name: _seed(place, name)) for name in place.trained},
        "torchrun": lambda: _torchrun(place),
    }


def _mixed(world: World) -> World:
    """The same with mixed precision, which the product leaves out on a CPU."""
    return World(world.rank, world.size, world.device, world.half or torch.bfloat16)


def _step(place: Place) -> Iterator[Row]:
    with joined() as world, tempfile.TemporaryDirectory() as folder:
        mixed = _mixed(world)
        ours = trainings.trainer(place.deep, mixed, Path(folder), side=place.side, batch=place.training_batch)
        ours._to_training()
        images = torch.randn(place.training_batch, 3, place.side, place.side)
        images = images.pin_memory() if place.is_gpu else images
        labels = torch.arange(place.training_batch) % len(DISEASE_KEYS)
        bare = _bare_step(place, mixed, images, labels)

        def bare_fast() -> None:
            torch.use_deterministic_algorithms(False)
            try:
                bare()
            finally:
                torch.use_deterministic_algorithms(True, warn_only=place.is_gpu)

        tasks = {"ours": lambda: ours._step(images, labels), "bare": bare_fast, "bare, deterministic": bare}
        seconds = in_turns(place, tasks, place.training_steps)
    name = f"step of {place.deep}, batch {place.training_batch}"
    yield measured(name, place.training_batch / seconds["ours"], "photos/s", str(mixed.half))
    yield measured(f"{name}: share of a bare loop", seconds["bare"] / seconds["ours"])
    share = seconds["bare, deterministic"] / seconds["ours"]
    yield measured(f"{name}: share of a deterministic bare loop", share)


def _bare_step(place: Place, world: World, images: torch.Tensor, labels: torch.Tensor) -> Callable[[], None]:
    """torchvision's network with AdamW in the same precision, its photos on the device already."""
    torchvision_ops.declare_missing()
    from torchvision import models

    network = getattr(models, place.deep)(num_classes=len(DISEASE_KEYS)).train()
    network.to(place.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    resident = images.to(place.device).contiguous(memory_format=torch.channels_last)
    truth = labels.to(place.device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(place.device.type, world.half):
            logits = network(resident)
        functional.cross_entropy(logits.float(), truth).backward()
        optimizer.step()

    return step


def _precision(place: Place) -> Iterator[Row]:
    """One step in mixed precision here, one in full precision on the CPU."""
    name = place.trained[-1]
    found = []
    with joined() as world:
        for where in (_FULL, _mixed(world)):
            with tempfile.TemporaryDirectory() as folder:
                # Dropout is drawn differently on every device.
                made = trainings.trainer(name, where, Path(folder), side=place.side, batch=8, dropout=0.0)
                made._to_training()
                pictures = [made.views[n, (1,)] for n in range(8)]
                images = torch.stack([torch.from_numpy(image) for image, _label in pictures])
                made._step(images, torch.tensor([label for _image, label in pictures]))
                found.append((made.progress.losses[0], trainings.gradients(made.network)))
    (loss, reference), (mixed_loss, gradients) = found
    yield at_most(f"{name}: loss in mixed precision, share", abs(mixed_loss / loss - 1), 0.02)
    for layer in ("head.weight", "bias"):
        alike = trainings.cosine(gradients[layer], reference[layer])
        yield at_least(f"{name}: gradient of {layer}, cosine", alike, 0.95)


def _seed(place: Place, name: str) -> Iterator[Row]:
    with joined() as world:
        first, second, other = (trainings.trained(name, world, place.side, seed) for seed in (1, 1, 2))
    yield holds(f"{name}: same seed, same weights", first == second, f"{first[:12]} and {second[:12]}")
    yield holds(f"{name}: another seed, other weights", first != other, f"{first[:12]} and {other[:12]}")


def _torchrun(place: Place) -> Iterator[Row]:
    name = place.trained[0]
    with joined() as world:
        alone = trainings.trained(name, world, place.side, 1)
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
        done = subprocess.run(
            [*launcher, "-m", "tests.gpu.under_torchrun", name, str(place.side), str(answer)],
            cwd=ROOT,
            env={key: value for key, value in os.environ.items() if key not in ("WORLD_SIZE", "RANK")},
            capture_output=True,
            text=True,
            timeout=TORCHRUN_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"torchrun ended with {done.returncode}: {done.stderr[-800:]}")
        found = json.loads(answer.read_text())
    same = found["weights"] == alone
    yield holds("torchrun: the weights of a process alone", same, f"{found['weights'][:12]} and {alone[:12]}")
    yield at_least(f"torchrun: gradients through {found['backend']}, cosine", found["cosine"], 0.999)
