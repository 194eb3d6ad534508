"""What happens when the device's memory does not suffice: halved batches, then the CPU, then the device again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from classifier.runtimes.torch_runtime import TorchRuntime
from tests.gpu import networks
from tests.gpu.agreement import HALF
from tests.gpu.place import NEEDS_A_GPU, Place, largest_difference
from tests.gpu.rows import Row, at_most, holds, not_evaluable

# Room beside the network, in bytes a photo of a batch that must be halved. A photo's first feature maps alone take
# most of it, so some of the batch fit, but never all.
_ROOM = 2 * 2**20


def checks(place: Place) -> dict[str, Callable[[], Iterator[Row]]]:
    """Want of memory pretended anywhere, and provoked on a GPU."""
    return {
        "pretended": lambda: _pretended(place),
        "halved": lambda: _halved(place),
        "no room": lambda: _no_room(place),
        "no room for the network": lambda: _no_room_for_the_network(place),
    }


class Small(TorchRuntime):
    """A device that holds two images at once."""

    def _on_device(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super()._on_device(batch)


def _pretended(place: Place) -> Iterator[Row]:
    reference, images = _reference(place), networks.images(7, place.side, seed=3)
    device = networks.on_the_device(reference, place, Small)
    device.max_batch = 8
    scores = device.forward(images)[0]
    yield holds("pretended: batches are halved", device.max_batch in (1, 2), f"now {device.max_batch}")
    yield at_most("pretended: scores", largest_difference(scores, reference.forward(images)[0]), HALF)


def _halved(place: Place) -> Iterator[Row]:
    if not place.is_gpu:
        yield not_evaluable("halved", NEEDS_A_GPU)
        return
    reference = _reference(place)
    device = networks.on_the_device(reference, place)
    wanted = device.max_batch
    images = networks.images(wanted, place.side, seed=4)
    expected = device.forward(images)
    with _room_for(place, wanted * _ROOM):
        answer = device.forward(images)
    note = f"{device.max_batch} at once instead of {wanted}"
    yield holds("halved: a smaller batch was found", 1 <= device.max_batch < wanted, note)
    yield holds("halved: without the CPU", reference.asked == 0, f"{reference.asked} images went to the CPU")
    yield at_most("halved: scores", largest_difference(answer[0], expected[0]), HALF)


def _no_room(place: Place) -> Iterator[Row]:
    if not place.is_gpu:
        yield not_evaluable("no room", NEEDS_A_GPU)
        return
    reference, images = _reference(place), networks.images(1, place.side, seed=5)
    device = networks.on_the_device(reference, place)
    device.forward(images)
    expected = reference.forward(images)
    before = reference.asked
    with _room_for(place, 0):
        answer = device.forward(images)
    yield holds("no room: the image went to the CPU", reference.asked == before + 1)
    yield at_most("no room: scores", largest_difference(answer[0], expected[0]), HALF)
    device.forward(images)
    yield holds("no room: the next one went to the device", reference.asked == before + 1)


def _no_room_for_the_network(place: Place) -> Iterator[Row]:
    if not place.is_gpu:
        yield not_evaluable("no room for the network", NEEDS_A_GPU)
        return
    reference, images = _reference(place), networks.images(2, place.side, seed=6)
    device = networks.on_the_device(reference, place)
    with _room_for(place, 0):
        device.forward(images)
    yield holds("no room for the network: images went to the CPU", reference.asked == 2)
    device.forward(images)
    yield holds("no room for the network: the next ones went to the device", reference.asked == 2)


def _reference(place: Place) -> networks.OnTheCpu:
    return networks.on_the_cpu(networks.make(place.deep), place.deep, place.side)


@contextmanager
def _room_for(place: Place, size: int) -> Iterator[None]:
    """Leave this process ``size`` bytes of the device's memory, gaps in what it holds already filled."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(place.device).total_memory
    held = torch.cuda.memory_reserved(place.device)
    try:
        torch.cuda.set_per_process_memory_fraction(held / total, place.device)
        filling = _filling(place)
        torch.cuda.set_per_process_memory_fraction(min(1.0, (held + size) / total), place.device)
        yield
        del filling
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, place.device)
        torch.cuda.empty_cache()


def _filling(place: Place) -> list[torch.Tensor]:
    """Tensors that take up what is left, the large pieces first."""
    filling = []
    for size in (2**24, 2**22, 2**20 + 2**9, 2**20, 2**18, 2**16, 2**13, 2**9):
        try:
            while True:
                filling.append(torch.empty(size, dtype=torch.uint8, device=place.device))
        except torch.OutOfMemoryError:
            continue
    return filling
