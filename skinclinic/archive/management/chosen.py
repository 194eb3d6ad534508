"""The dataset a command is told to work on."""

from django.core.management.base import CommandError
from django.db.models import QuerySet

from skinclinic.archive.models import DatasetVersion


def frozen_version(name: str, number: int | None, clinic: str | None) -> DatasetVersion:
    """The newest frozen version of the dataset, or the one of this number. Raises CommandError."""
    versions = DatasetVersion.objects.filter(dataset__name=name, state=DatasetVersion.State.FROZEN)
    if number:
        versions = versions.filter(number=number)
    return _one(versions, clinic, f"There is no frozen dataset “{name}” (clinic: {clinic or 'any'}).", name)


def draft_of(name: str, clinic: str | None) -> DatasetVersion:
    """The draft of the dataset. Raises CommandError."""
    versions = DatasetVersion.objects.filter(dataset__name=name, state=DatasetVersion.State.DRAFT)
    return _one(
        versions,
        clinic,
        f"The dataset “{name}” has no draft (clinic: {clinic or 'any'}). Make one first.",
        name,
    )


def version_named(text: str, clinic: str | None) -> DatasetVersion:
    """The newest version of "NAME", whatever its state, or that of "NAME:NUMBER". Raises CommandError."""
    name, _colon, number = text.rpartition(":")
    # A name may have a colon in it.
    whole = DatasetVersion.objects.filter(dataset__name=text)
    if name and number.isascii() and number.isdigit() and len(number) < 10 and not whole.exists():
        versions = DatasetVersion.objects.filter(dataset__name=name, number=int(number))
    else:
        versions = whole
    return _one(versions, clinic, f"There is no dataset “{text}” (clinic: {clinic or 'any'}).", text)


def _one(versions: QuerySet[DatasetVersion], clinic: str | None, missing: str, name: str) -> DatasetVersion:
    if clinic:
        versions = versions.filter(clinic__slug=clinic)
    version = versions.select_related("dataset", "clinic").order_by("-number").first()
    if version is None:
        raise CommandError(missing)
    if versions.values("clinic").order_by("clinic").distinct().count() > 1:
        raise CommandError(f"Several clinics have a dataset “{name}”; say which with --clinic.")
    return version
