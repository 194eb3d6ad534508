"""The folders of a test."""

from pathlib import Path

from django.conf import settings


def folders_of(home: Path, cache: Path) -> dict[str, Path]:
    """The settings that say where files lie."""
    return {
        "SKINCLINIC_HOME": home,
        "PHOTOS_DIR": home / "photos",
        "MODELS_DIR": home / "models",
        "CACHE_DIR": cache,
        "STATIC_ROOT": home / "static",
    }


def stored_files() -> list[str]:
    """Keys of every file below PHOTOS_DIR, drafts included, notes left out."""
    root = settings.PHOTOS_DIR
    paths = (path for path in root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(root)) for path in paths if path.parent.name != "notes")
