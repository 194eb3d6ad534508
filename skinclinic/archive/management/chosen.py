"""The frozen dataset a command is told to work on."""

from django.core.management.base import CommandError

from skinclinic.archive.models import DatasetVersion


def frozen_version(name: str, number: int | None, clinic: str | None) -> DatasetVersion:
    """The newest frozen version of the dataset, or the one of this number. Raises CommandError."""
    versions = DatasetVersion.objects.filter(dataset__name=name, state=DatasetVersion.State.FROZEN)
    if clinic:
        versions = versions.filter(clinic__slug=clinic)
    if number:
        versions = versions.filter(number=number)
    version = versions.select_related("dataset", "clinic").order_by("-number").first()
    if version is None:
        raise CommandError(f"There is no frozen dataset “{name}” (clinic: {clinic or 'any'}).")
    if versions.values("clinic").distinct().count() > 1:
        raise CommandError(f"Several clinics have a dataset “{name}”; say which with --clinic.")
    return version
