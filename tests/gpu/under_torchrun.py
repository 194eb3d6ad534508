"""What one process under torchrun trains and finds: ``-m tests.gpu.under_torchrun NETWORK SIDE ANSWER``."""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.gpu import alone

alone.install()

import torch  # noqa: E402
from torch import distributed  # noqa: E402
from torch.nn import functional  # noqa: E402

from classifier.training.world import World, joined  # noqa: E402
from tests.gpu import trainings  # noqa: E402


def main(name: str, side: int, answer: Path) -> None:
    """Train, then take the gradients of one batch alone and through the processes' own averaging."""
    with joined() as world:
        weights = trainings.trained(name, world, side, 1)
        backend = "nccl" if world.device.type == "cuda" else "gloo"
        distributed.init_process_group(backend)
        try:
            cosine = _cosine(name, world, side)
            # A group of one process that acts as if there were more of them.
            replace(world, size=2).wait()
        finally:
            distributed.destroy_process_group()
    answer.write_text(json.dumps({"weights": weights, "backend": backend, "cosine": cosine}))


def _cosine(name: str, world: World, side: int) -> float:
    """How far the head's two gradients point the same way."""
    found = []
    for size in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            made = trainings.trainer(name, world, Path(folder), side=side, batch=4, dropout=0.0)
        wrapped = replace(world, size=size).wrap(made.network, learns_normalisation=True)
        wrapped.train()
        images = torch.stack([torch.from_numpy(made.views[n, (1,)][0]) for n in range(4)])
        logits, _maps = wrapped(images.to(world.device, memory_format=torch.channels_last))
        functional.cross_entropy(logits, torch.arange(4, device=world.device)).backward()
        found.append(trainings.gradients(made.network)["head.weight"])
    return trainings.cosine(*found)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
