"""Looking at the photos folder in tests."""

from django.conf import settings


def stored_files() -> list[str]:
    """Keys of every file below PHOTOS_DIR, drafts included, notes left out."""
    root = settings.PHOTOS_DIR
    paths = (path for path in root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(root)) for path in paths if path.parent.name != "notes")
