"""What the commands for backups have in common: the folder, its key, and how a refusal is told."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError

from skinclinic.backups.repository import Damaged, Repository, RepositoryRefused, Run
from skinclinic.backups.sealing import BadKey, Key

# The backup is whole but for what is named: an operator should look.
WITH_REMARKS = 3


def add_key_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--key-file",
        type=Path,
        help="file of the key of encrypted backups; else BACKUP_KEY or BACKUP_KEY_FILE",
    )


def key_of(key_file: Path | None) -> Key | None:
    """That of the file or of the settings; None where backups are not encrypted."""
    try:
        text = key_file.read_text(encoding="ascii") if key_file else settings.BACKUP_KEY
        return Key.of_text(text) if text else None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The key cannot be read: {error}") from None
    except BadKey as error:
        raise CommandError(str(error)) from None


def run_of(repository: Repository, at: str | None) -> Run:
    """The newest, or the one whose name begins so."""
    runs = repository.runs()
    if not runs:
        raise CommandError(f"{repository.path} holds no backup.")
    if not at:
        return runs[0]
    found = [run for run in runs if run.at.startswith(at)]
    if len(found) != 1:
        some = ", ".join(run.at for run in (found or runs)[:8])
        raise CommandError(f"{'Several backups are' if found else 'No backup is'} of {at}. There are: {some}")
    return found[0]


@contextmanager
def told() -> Iterator[None]:
    """Whatever stands in the way is said in a line, with exit status 1."""
    try:
        yield
    except (RepositoryRefused, Damaged) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(
            f"{error.strerror or error}{f' ({os.fsdecode(error.filename)})' if error.filename else ''}. "
            "What was begun does not count; the same command goes on with what is there."
        ) from error
