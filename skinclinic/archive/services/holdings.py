"""Files that rows of the archive know by their hash, and folders that are theirs."""

from collections.abc import Iterator

from skinclinic.archive.models import DatasetVersion, Entry, Import
from skinclinic.services import holdings
from skinclinic.services.holdings import PHOTOS, Held


@holdings.names_files
def of_entries(alias: str) -> Iterator[Held]:
    entries = Entry._base_manager.using(alias).exclude(photo=None).order_by("pk")
    for key, file, digest in entries.values_list("photo", "photo__file_key", "content_sha256").iterator(4096):
        yield Held(f"{PHOTOS}/{file}", f"photo {key}", digest)


def import_folders() -> set[str]:
    return {str(key) for key in Import.objects.values_list("pk", flat=True)}


def export_folders() -> set[str]:
    return {f"{sha256}-{key}" for sha256, key in DatasetVersion.objects.values_list("sha256", "pk")}


holdings.owned |= {"imports": import_folders, "exports": export_folders}
