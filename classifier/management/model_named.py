"""Which model a command works with: ``--model NAME``, of a clinic where several have one of that name."""

import contextlib
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError
from django.db import DatabaseError

from classifier.networks import weights
from classifier.networks.finding import find_model


def add_model_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="model name or folder; default: the shipped one")
    parser.add_argument(
        "--clinic",
        metavar="SLUG",
        help="whose model it is, where several have one of this name (asks the database)",
    )


def folder_of(model: str | None, clinic: str | None) -> Path:
    """The folder of the model that was named. Raises ModelRejected, CommandError."""
    return find_model(
        weights.default_name() if model is None else model,
        settings.MODELS_DIR,
        clinic=None if clinic is None else _clinic_number(clinic),
        clinic_name=_clinic_name,
    )


def _clinic_number(slug: str) -> int:
    from skinclinic.models import Clinic

    try:
        known = dict(Clinic.objects.values_list("slug", "pk"))
    except DatabaseError as error:
        raise CommandError(
            f"Clinics are known by the database, which does not answer ({error}). Give the model's folder with --model."
        ) from error
    if slug not in known:
        raise CommandError(f"There is no clinic {slug!r}; there are: {', '.join(sorted(known)) or 'none'}.")
    return known[slug]


def _clinic_name(number: int) -> str:
    """Its short name, or its number where no database answers."""
    from skinclinic.models import Clinic

    with contextlib.suppress(DatabaseError):
        if slug := Clinic.objects.filter(pk=number).values_list("slug", flat=True).first():
            return slug
    return f"number {number}"
