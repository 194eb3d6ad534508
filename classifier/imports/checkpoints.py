"""Which network of a file is meant: what training scripts write keeps its state dict among other things, under names
with something in front, and often a second one whose weights are averages over the training (EMA)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from classifier.networks.manifest import ModelRejected
from classifier.networks.stated import in_words

# How deep a state dict may lie in others, and how many words may stand in front of its names.
_DEEPEST = 4
# What wrappers that average weights keep of their own.
_COUNTERS = {"n_averaged"}

# Of names as they would be without what stands in front: those of the network.
Known = Callable[[Sequence[str]], Collection[str]]


@dataclass(frozen=True)
class _Network:
    """``content``: where its names stand, beside others; ``where``: in which of the file's; ``prefix``: what stands in
    front of its names; ``known``: of its values those that the network has, by identity."""

    where: tuple[str, ...]
    prefix: str
    content: Mapping[str, object]
    known: frozenset[int]

    @property
    def name(self) -> str:
        """As people call it; "." where its names stand in the file as they are."""
        return ".".join((*self.where, *self.prefix.split("."))).strip(".") or "."

    def own(self) -> dict[str, object]:
        return _under(self.prefix, self.content)

    def others(self) -> dict[str, object]:
        return {
            name: value
            for name, value in self.content.items()
            if not name.startswith(self.prefix) and name not in _COUNTERS
        }


def state_dict_of(content: object, known: Known, part: str | None = None) -> dict[str, Tensor]:
    """The state dict of the one network of which ``known`` knows names, without what wrappers put in front of them.

    What else lies beside it stays in it, so that it is told. ``part``: the name of the network that is meant, of which
    nothing else is read.

    Raises ModelRejected where there is none or are several, and for what is no tensor of numbers.
    """
    found = [one for where, state in _state_dicts(content) for one in _networks(where, state, known)]
    if not found:
        raise ModelRejected("weights_unreadable", "The file holds no state dict: no parameters by name.")
    rivals = _rivals(found)
    if part is not None:
        chosen = [one for one in rivals if one.name == part]
        if not chosen:
            raise ModelRejected(
                "no_such_part",
                f"The file holds no network under {part!r}; there are: {in_words(one.name for one in rivals)}.",
            )
        return _checked(chosen[0].own())
    if len(rivals) > 1:
        raise ModelRejected(
            "several_networks",
            f"The file holds several such networks, and nothing says which is meant: "
            f"{in_words(one.name for one in rivals)}. Name one with import_weights --part NAME, or save the one you "
            'mean by itself: torch.save(torch.load(FILE, map_location="cpu")[NAME], "weights.pth").',
        )
    (only,) = rivals
    return _checked(only.own() | only.others())


def _rivals(found: Sequence[_Network]) -> list[_Network]:
    """Those that may be meant: which have the most of the network's names, or hardly fewer; where none has any the
    largest, of which is then told what is missing."""
    most = max(len(one.known) for one in found)
    if not most:
        return [max(found, key=lambda one: len(one.content))]
    rivals: list[_Network] = []
    for one in found:
        # The same tensors are found again under longer names.
        again = any(2 * len(one.known & other.known) > most for other in rivals)
        if 2 * len(one.known) > most and not again:
            rivals.append(one)
    return rivals


def _state_dicts(
    content: object, where: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, object]]]:
    """All that hold tensors by name, wherever they lie."""
    if not isinstance(content, Mapping):
        return
    if any(isinstance(value, Tensor) for value in content.values()):
        yield where, {str(name): value for name, value in content.items()}
    if len(where) < _DEEPEST:
        for name, value in content.items():
            # What optimisers keep of parameters has numbers for names.
            if isinstance(name, str):
                yield from _state_dicts(value, (*where, name))


def _networks(where: tuple[str, ...], content: Mapping[str, object], known: Known) -> Iterator[_Network]:
    under: dict[str, dict[str, object]] = {"": dict(content)}
    for name, value in content.items():
        parts = name.split(".")
        for end in range(1, min(len(parts), _DEEPEST + 1)):
            prefix = f"{'.'.join(parts[:end])}."
            under.setdefault(prefix, {})[name.removeprefix(prefix)] = value
    for prefix, own in under.items():
        found = frozenset(id(own[name]) for name in known(list(own)))
        if found or not prefix:
            yield _Network(where, prefix, content, found)


def _under(prefix: str, content: Mapping[str, object]) -> dict[str, object]:
    return {name.removeprefix(prefix): value for name, value in content.items() if name.startswith(prefix)}


def _checked(state: Mapping[str, object]) -> dict[str, Tensor]:
    """The same, once all of it are tensors of numbers. Raises ModelRejected."""
    tensors: dict[str, Tensor] = {}
    wrong = []
    for name, value in state.items():
        if not isinstance(value, Tensor):
            wrong.append(f"{name} ({type(value).__name__})")
        elif why := _why_not(value):
            wrong.append(f"{name} ({why})")
        else:
            tensors[name] = value
    if wrong:
        raise ModelRejected(
            "weights_unreadable",
            f"The file holds something else than parameters, which are plain tensors of numbers: {in_words(wrong)}.",
        )
    return tensors


def _why_not(value: Tensor) -> str:
    """Why a tensor is none of plain numbers, or ""."""
    if value.is_quantized:
        return "quantised: only a part of its numbers' digits is left"
    if value.layout != torch.strided:
        return "sparse: give it as .to_dense()"
    if value.is_complex():
        return "complex numbers"
    if value.is_meta:
        return "without its numbers: saved from the device meta"
    # One number may be shown as billions, which would then be made.
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return "fewer numbers than its shape has places: give it as .clone()"
    return ""
