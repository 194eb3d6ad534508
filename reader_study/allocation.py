"""Which photos each reader reads, with and without the model, and in which order: all of it follows from a seed.

Readers are allocated one after the other as they were enrolled. Each gets what readers of the same group have had least
often, then what all readers have had least often; what is left is decided by chance. Within a group this is
randomisation in permuted blocks. Readers who withdraw keep their place in the list.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeVar

# A photo comes again after so many others at least, or after half of them where there are fewer.
LEAST_APART = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """``arms``: what a reader can be drawn to, each the sessions in their order; one that is empty stands for all."""

    arms: tuple[tuple[str, ...], ...]
    blocks: int = 1
    blocks_a_reader: int = 1
    repeats: int = 0


@dataclass(frozen=True)
class Place:
    """What the reader at one place of the list got; ``blocks`` is empty where the sample is not split."""

    group: str
    arm: tuple[str, ...]
    blocks: tuple[int, ...] = ()


def deal(
    strata: Mapping[int, Hashable], blocks: int, seed: int, together: Iterable[Collection[int]] = ()
) -> dict[int, int]:
    """Blocks, numbered from 1, of photos by number. ``together``: photos that must not be parted, of one patient or
    lesion. Each stratum is spread over the blocks as evenly as these allow, then the number of photos; without any,
    both differ by one at most."""
    chance = random.Random(f"{seed}:blocks")
    groups = _groups(strata, together)
    chance.shuffle(groups)
    # The largest first, as long as there is room for them; single photos then fill up stratum by stratum.
    groups.sort(key=lambda group: (-len(group), str(strata[group[0]]) if len(group) == 1 else ""))
    has: Counter[tuple[int, Hashable]] = Counter()
    size: Counter[int] = Counter()
    found: dict[int, int] = {}
    for group in groups:
        wanted = Counter(strata[number] for number in group)

        def fullness(block: int, wanted: Counter[Hashable] = wanted) -> tuple[int, int]:
            return sum(has[block, stratum] * n for stratum, n in wanted.items()), size[block]

        block = _least(range(1, blocks + 1), fullness, chance)
        for number in group:
            found[number] = block
        has.update({(block, stratum): n for stratum, n in wanted.items()})
        size[block] += len(group)
    return found


def repeated(
    block: Mapping[int, int], repeats: int, seed: int, together: Iterable[Collection[int]] = ()
) -> list[int]:
    """The photos that are shown twice: so many of each block, at random, of different patients as far as there are
    enough (``together`` as in ``deal``). ValueError where a block has too few."""
    chance = random.Random(f"{seed}:repeats")
    groups = _groups(block, together)
    chosen: list[int] = []
    for one in sorted(set(block.values())):
        turns = [chance.sample(group, len(group)) for group in groups if block[group[0]] == one]
        photos = sum(map(len, turns))
        if repeats > most_repeats(photos):
            raise ValueError(f"{repeats} of {photos} photos cannot come twice and apart")
        chance.shuffle(turns)
        in_line = [number for turn in zip_longest(*turns) for number in turn if number is not None]
        chosen += in_line[:repeats]
    return sorted(chosen)


def _groups(numbers: Iterable[int], together: Iterable[Collection[int]]) -> list[list[int]]:
    """All the numbers, each in one group; those that stand in none are groups of their own."""
    found = [sorted(group) for group in together if len(group) > 1]
    placed = {number for group in found for number in group}
    return sorted([*found, *([number] for number in numbers if number not in placed)])


def most_repeats(photos: int) -> int:
    return photos // 2


def next_place(plan: Plan, earlier: Sequence[Place], group: str, seed: int) -> Place:
    """What the next reader gets, one of ``group``, after all that were enrolled ``earlier``."""
    chance = random.Random(f"{seed}:{len(earlier) + 1}")
    arm = _least(
        plan.arms,
        lambda one: (sum(was.group == group and was.arm == one for was in earlier), _used(earlier, arm=one)),
        chance,
    )
    blocks: list[int] = []
    if plan.blocks > 1:
        for _turn in range(plan.blocks_a_reader):
            left = [block for block in range(1, plan.blocks + 1) if block not in blocks]
            blocks.append(
                _least(
                    left,
                    lambda one: (
                        _used(earlier, arm=arm, block=one, group=group),
                        _used(earlier, arm=arm, block=one),
                        _used(earlier, block=one),
                    ),
                    chance,
                )
            )
    return Place(group, arm, tuple(sorted(blocks)))


def places(plan: Plan, groups: Sequence[str], seed: int) -> list[Place]:
    """The list from its beginning, for readers of these groups in the order in which they were enrolled."""
    found: list[Place] = []
    for group in groups:
        found.append(next_place(plan, found, group, seed))
    return found


def _used(
    earlier: Sequence[Place],
    *,
    arm: tuple[str, ...] | None = None,
    block: int | None = None,
    group: str | None = None,
) -> int:
    return sum(
        arm in (None, was.arm) and group in (None, was.group) and (block is None or block in was.blocks)
        for was in earlier
    )


def _least(choices: Sequence[T], count: Callable[[T], object], chance: random.Random) -> T:
    counts: list[Any] = [count(one) for one in choices]
    least = min(counts)
    return chance.choice([one for one, n in zip(choices, counts, strict=True) if n == least])


def order(numbers: Collection[int], twins: Mapping[int, int], chance: random.Random) -> list[int]:
    """The photos in random order, and the ``twins`` {number: of which photo} well after the photo they repeat."""
    apart = min(LEAST_APART, len(numbers) // 2)
    shown = set(twins.values())
    others = [number for number in numbers if number not in shown]
    first = [number for number in numbers if number in shown]
    chance.shuffle(others)
    chance.shuffle(first)
    early = set(chance.sample(range(len(numbers) - apart), len(first)))
    mixed = [first.pop() if place in early else others.pop() for place in range(len(numbers))]
    seconds = list(twins)
    chance.shuffle(seconds)
    for twin in seconds:
        # What is put in between only moves the others further apart.
        earliest = mixed.index(twins[twin]) + apart + 1
        mixed.insert(chance.randint(earliest, len(mixed)), twin)
    return mixed
