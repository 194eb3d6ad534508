"""What each language of ``locale`` is: whether a machine drafted it, and how much of it is translated. Pure.

A file ``machine-drafted`` in a language's folder marks it, with what was done in it; it is deleted once a native
clinician has read the words. Pages tell both, in that language.
"""

import gettext
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "locale"
MARK = "machine-drafted"


def folder_name(code: str) -> str:
    """The folder of a language: ``pt_BR`` of ``pt-br``."""
    language, _dash, country = code.replace("_", "-").partition("-")
    return f"{language.lower()}_{country.upper()}" if country else language.lower()


def is_drafted(code: str) -> bool:
    """Whether the words of a language are a machine's and no native clinician has read them yet."""
    return code in drafted()


def drafted() -> frozenset[str]:
    """The languages whose words are a machine's."""
    return _drafted(FOLDER)


@cache
def _drafted(folder: Path) -> frozenset[str]:
    return frozenset(path.parent.name.lower().replace("_", "-") for path in folder.glob(f"*/{MARK}"))


def share_translated(code: str) -> int:
    """Per cent of the product's texts that a language has, rounded down: 100 only if none is missing. English, which
    the texts are written in, has all. Counted once in a process, against the compiled catalogues that no machine
    drafted: a test holds Korean to be whole."""
    return 100 if code == "en" else _share(FOLDER, folder_name(code))


@cache
def _share(folder: Path, name: str) -> int:
    catalogue = folder / name / "LC_MESSAGES" / "django.mo"
    if not catalogue.is_file():
        return 0
    # What a drafted one still has, though the product no longer says it, counts nowhere.
    drafts = {path.parent for path in folder.glob(f"*/{MARK}")}
    whole = [path for path in folder.glob("*/LC_MESSAGES/django.mo") if path.parents[1] not in drafts]
    every = frozenset().union(*map(_texts, whole)) or _texts(catalogue)
    return 100 * len(_texts(catalogue) & every) // len(every) if every else 0


@cache
def _texts(catalogue: Path) -> frozenset[str]:
    """The texts that a compiled catalogue has, by their English with its context."""
    with catalogue.open("rb") as file:
        # All that is in it, as pairs; a text with several forms stands there once for each.
        said = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return frozenset(key[0] if isinstance(key, tuple) else key for key in said if key)
