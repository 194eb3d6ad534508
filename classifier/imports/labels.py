"""What the outputs of a network mean: a text file with one disease key or background name a line."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from classifier.networks.manifest import ModelRejected
from skinclinic.vocabulary.diseases import DISEASE_KEYS

LARGEST_BYTES = 1024 * 1024
LONGEST_NAME = 200


@dataclass(frozen=True)
class Labels:
    """``order``: for each of our outputs (the 12 diseases, then ``background``) its place among theirs."""

    order: tuple[int, ...]
    background: tuple[str, ...]


def read_labels(path: Path) -> Labels:
    """Read a labels file. Raises ModelRejected("bad_labels")."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ModelRejected("bad_labels", f"The labels cannot be read: {error}.") from error
    if len(content) > LARGEST_BYTES:
        _refuse("The labels file is larger than 1 MB.")
    try:
        lines = content.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError:
        _refuse("The labels file is not text in UTF-8.")
    return arrange([line.strip() for line in lines])


def arrange(names: list[str]) -> Labels:
    """Find the 12 diseases among the names of the outputs. Raises ModelRejected("bad_labels").

    Each of the 12 keys must be there once; every other name is a background class.
    """
    problems = []
    if empty := [str(number) for number, name in enumerate(names, start=1) if not name]:
        problems.append(f"empty lines: {', '.join(empty)}")
    if long := [str(number) for number, name in enumerate(names, start=1) if len(name) > LONGEST_NAME]:
        problems.append(f"lines of more than {LONGEST_NAME} characters: {', '.join(long)}")
    if missing := [key for key in DISEASE_KEYS if key not in names]:
        problems.append(f"missing disease keys: {', '.join(missing)}")
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    if twice := [name[:LONGEST_NAME] for name, count in counts.items() if name and count > 1]:
        problems.append(f"named more than once: {', '.join(twice)}")
    if problems:
        _refuse(
            "The labels must have one disease key or background name a line, each once and the 12 disease keys "
            f"among them; {'; '.join(problems)}."
        )
    background = tuple(name for name in names if name not in DISEASE_KEYS)
    return Labels(tuple(names.index(name) for name in (*DISEASE_KEYS, *background)), background)


def _refuse(message: str) -> NoReturn:
    raise ModelRejected("bad_labels", message)
