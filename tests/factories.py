"""Rows and files for tests, made through the product's own services."""

import io
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

PASSWORD = "correct horse battery"


@lru_cache(maxsize=512)
def jpeg_bytes(seed: int = 0, width: int = 320, height: int = 256) -> bytes:
    """A small synthetic JPEG, different for every seed."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), (205, 160, 135), np.float32)
    rows, columns = np.mgrid[:height, :width]
    centre = random.uniform(0.35, 0.65, 2) * (height, width)
    spot = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < random.uniform(20, 60) ** 2
    pixels[spot] = random.uniform(40, 140, 3)
    pixels += random.normal(0, 8, pixels.shape)
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def make_clinic(name: str):
    from django.utils.text import slugify

    from skinclinic.models import Clinic

    return Clinic.objects.create(name=name, slug=slugify(name), impression_first=False)


def make_member(clinic, role: str, username: str):
    from skinclinic.models import Member, User

    user = User.objects.create_user(
        username, f"{username}@example.org", PASSWORD, display_name=username.title()
    )
    Member.objects.create(clinic=clinic, user=user, role=role, first_steps=False)
    return user


def make_token(user, *, clinic=None, scope: str = "write") -> str:
    """A token of this person for programs, as it is sent."""
    from skinclinic.services import tokens

    return tokens.make(user, tokens.Wanted("a program", scope, clinic), by=user)[1]


def make_patient(clinic, code: str = "P-0001", **fields):
    from skinclinic.models import Patient

    return Patient.objects.create(clinic=clinic, code=code, **fields)


def make_photo(clinic, user, *, seed: int = 0, name: str = "lesion.jpg", **fields):
    from skinclinic.services.photos import store_photo

    photo, _created = store_photo(
        clinic=clinic, user=user, data=jpeg_bytes(seed), name=name, is_synthetic=True, **fields
    )
    return photo


def make_source(clinic, name: str = "Test archive", **fields):
    from skinclinic.archive.models import Source

    return Source.objects.get_or_create(clinic=clinic, name=name, defaults=fields)[0]


def make_entry(photo, user, *, label: str = "bcc", source=None, **fields):
    """Put a stored photo into the archive, by default of "Test archive"."""
    from django.db import transaction

    from skinclinic.archive.services.curating.entries import Content, create_entry
    from skinclinic.archive.services.curating.own_facts import facts_of

    content = Content.of_stored(photo)
    with transaction.atomic():
        return create_entry(
            photo=photo,
            content=content,
            source=source or make_source(photo.clinic),
            external_id=fields.pop("external_id", f"photo-{photo.pk}"),
            label=label,
            user=user,
            **facts_of(photo.lesion) | fields,
        )


def make_analysis(photo, user):
    """Ask for the photo's analysis and run the job here."""
    from classifier.services.analysis.analyses import request_analysis
    from skinclinic.engine import jobs

    analysis = request_analysis(photo, user=user)
    jobs.run_waiting("analyse")
    analysis.refresh_from_db()
    return analysis


def proven(version):
    """A model of a clinic that has been run once, as it must before it is published."""
    from classifier.services.models import proof
    from skinclinic.engine import jobs

    proof.ask(version)
    jobs.run_waiting(proof.JOB)
    return version


def make_model_dir(
    folder: Path,
    *,
    architecture: str = "efficientnet_lite0",
    background_classes=(),
    name: str = "tiny",
    seed=1,
) -> Path:
    """Save a network with random weights as a model version; thresholds "balanced" 0.1, "screening" 0.02."""
    from classifier.networks import network, weights
    from classifier.networks.manifest import Manifest
    from classifier.networks.preprocess import Preprocessing
    from skinclinic.vocabulary.diseases import DISEASE_KEYS

    design = network.ARCHITECTURES[architecture]
    manifest = Manifest(
        name=name,
        architecture=architecture,
        preprocessing=Preprocessing(input_size=64, mean=design.mean, std=design.std),
        trained_on="nothing: random weights",
        trained_at=date(2026, 1, 1).isoformat(),
        background_classes=tuple(background_classes),
        thresholds={
            set_name: {
                "purpose": "tests",
                "cohort": "none",
                "n": 0,
                "date": "2026-01-01",
                "optimistic": True,
                "values": dict.fromkeys(DISEASE_KEYS, threshold),
            }
            for set_name, threshold in (("balanced", 0.1), ("screening", 0.02))
        },
        licence="Apache-2.0",
        intended_use="tests",
        limits="it knows nothing",
        demo=True,
    )
    weights.save(folder, manifest, random_weights(architecture, manifest.outputs, seed))
    return folder


@lru_cache(maxsize=8)
def random_weights(architecture: str, outputs: int, seed: int) -> dict:
    import torch

    from classifier.networks import network

    torch.manual_seed(seed)
    return network.build(architecture, outputs).state_dict()
