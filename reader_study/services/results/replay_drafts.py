"""Files of a replay that wait for a decision, with what a person has said of them."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings

from skinclinic.files import whole
from skinclinic.models import User

_KEPT_SECONDS = 86_400
_SAID = "said.json"


@dataclass(frozen=True)
class Said:
    """``labels``: what the files' own words for diseases mean, {word: key or LEAVE_OUT}; ``encodings``: {file: one
    of ``formats.encodings.CANDIDATES``}."""

    labels: Mapping[str, str] = field(default_factory=dict)
    encodings: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, later: "Said") -> "Said":
        return Said({**self.labels, **later.labels}, {**self.encodings, **later.encodings})


def folder_of(user: User, token: str) -> Path:
    """Where the files of a check wait until the study is made."""
    return settings.SKINCLINIC_HOME / "studies" / ".replays" / str(user.pk) / token


def drop_old() -> None:
    """Forget files that nobody decided on for a day."""
    for folder in (settings.SKINCLINIC_HOME / "studies" / ".replays").glob("*/*"):
        with suppress(FileNotFoundError):
            if whole.now_in(folder.parent) - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def said(folder: Path) -> Said:
    """What was said so far."""
    try:
        return Said(**json.loads((folder / _SAID).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Said()


def keep_said(folder: Path, what: Said) -> None:
    """Raises OSError."""
    (folder / _SAID).write_text(json.dumps(asdict(what), ensure_ascii=False), encoding="utf-8")
