"""The pictures of help, made by ``python -m tests.browser.help_pictures``; without them pages are text alone."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static" / "help"


@cache
def there_is(name: str) -> bool:
    """Whether there is a picture ``LANGUAGE/FILE``."""
    return (FOLDER / name).is_file() and ".." not in name
