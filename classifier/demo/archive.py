"""The demo's archive: drawings of the 12 diseases, imported as any archive is, part of them reviewed, one
version frozen; and drawings that are hard to tell apart, for a reader study. Patients, ages and proofs are invented,
and it says so."""

import csv
import random
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from PIL import Image, ImageOps

from classifier.drawings import synthetic
from skinclinic import imaging
from skinclinic.archive.models import DatasetItem, DatasetVersion, Entry, Import, Review, Source
from skinclinic.archive.services.curating import duplicates, review
from skinclinic.archive.services.datasets import datasets, dividing, freezing
from skinclinic.archive.services.importing import imports
from skinclinic.files import store
from skinclinic.models import Clinic, User
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.vocabulary.sites import SITE_KEYS

NAME, LOOKALIKES_NAME = "Drawings", "Lookalikes"
# Which diseases are taken for each other.
LOOKALIKES = (
    ("bcc", "scc"), ("scc", "iec"), ("iec", "ak"), ("ak", "sk"), ("sk", "wart"), ("sk", "lentigo"), ("mm", "nevus"),
    ("nevus", "lentigo"), ("mm", "sk"), ("pg", "hemangioma"), ("df", "nevus"), ("scc", "wart"),
)  # fmt: skip
# Half of these rest on what is seen, and are a study's panel to vote on.
OFTEN_CLINICAL = ("ak", "sk", "nevus", "lentigo", "hemangioma", "wart")
# How much of a mixed picture is the disease it is labelled with.
OWN_SHARE = (0.4, 0.75)
PATIENTS_A_DISEASE, PHOTOS_A_PATIENT = 5, 2
LEFT_TO_REVIEW, COPIES = 18, 3
SIZE = 320
_PROVENANCE = {
    "licence": "Apache-2.0",
    "consent_basis": "None needed: drawings by a computer",
    "population": "Invented",
    "devices": "None",
}
_COLUMNS = {
    name: name
    for name in (
        "file", "label", "patient", "age", "sex", "skin_type", "site", "taken_on", "is_proven", "text"
    )
}  # fmt: skip


def seed_archive(clinic: Clinic, user: User) -> None:
    """Draw, import, review and freeze; some seconds."""
    _import(clinic, user, NAME, "both", _draw)
    keys = list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list("pk", flat=True))
    random.Random(2).shuffle(keys)
    review.decide(clinic=clinic, user=user, entry_ids=keys[LEFT_TO_REVIEW:], review=Review.ACCEPTED)
    version = DatasetVersion.objects.get(clinic=clinic, dataset__name=NAME)
    waiting = version.items.filter(entry__review=Review.PENDING).values_list("pk", flat=True)
    datasets.remove(version, list(waiting))
    dividing.split(version, "patient", 0.7)
    freezing.freeze(version, user)
    duplicates.request_search(clinic)


def seed_lookalikes(clinic: Clinic, user: User) -> DatasetVersion:
    """A frozen version of photos that each show a drawing with some of another disease's in it, so that neither a
    model nor a person is always right; its label is the drawing that outweighs the other. A second or two."""
    drawings = DatasetVersion.objects.get(clinic=clinic, dataset__name=NAME)
    _import(clinic, user, LOOKALIKES_NAME, "test", lambda folder: _mix(folder, drawings))
    entries = Entry.objects.filter(clinic=clinic, source__name=LOOKALIKES_NAME)
    keys = list(entries.values_list("pk", flat=True))
    review.decide(clinic=clinic, user=user, entry_ids=keys, review=Review.ACCEPTED)
    return freezing.freeze(DatasetVersion.objects.get(clinic=clinic, dataset__name=LOOKALIKES_NAME), user)


def _import(clinic: Clinic, user: User, name: str, role: str, draw: Callable[[Path], None]) -> None:
    Source.objects.create(clinic=clinic, name=name, is_synthetic=True, created_by=user)
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder))
        row = imports.begin(
            clinic=clinic, user=user, name=name, format=Import.Format.CSV, role=role, photos=folder,
            metadata=str(Path(folder) / "table.csv"), columns=_COLUMNS, provenance=_PROVENANCE,
        )  # fmt: skip
        with imports.here(imports.CHECK_JOB, row):
            imports.run_check(row)
        with imports.here(imports.WRITE_JOB, row):
            imports.run_write(row)


def lookalikes(disease: str) -> list[str]:
    """The diseases that this one is taken for."""
    return [one if disease == other else other for one, other in LOOKALIKES if disease in (one, other)]


def _mix(folder: Path, drawings: DatasetVersion) -> None:
    """Mixed photos and their table."""
    chance = random.Random(3)
    by_disease: dict[str, list[DatasetItem]] = {key: [] for key in DISEASE_KEYS}
    for item in drawings.items.select_related("entry__photo").order_by("pk"):
        by_disease[item.label].append(item)
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _COLUMNS)
        table.writeheader()
        for disease in DISEASE_KEYS:
            for number, item in enumerate(by_disease[disease], start=1):
                other = chance.choice(by_disease[chance.choice(lookalikes(disease))])
                # Turned and mirrored: to the search for duplicates it is another picture.
                own = ImageOps.mirror(_opened(item)).rotate(90 * chance.randint(0, 3))
                mixed = Image.blend(_opened(other).resize(own.size), own, chance.uniform(*OWN_SHARE))
                name = f"{disease}-{number}.jpg"
                (folder / name).write_bytes(imaging.encode_jpeg(mixed))
                table.writerow(
                    {
                        "file": name, "label": disease, "patient": f"mixed-{disease}-{number}",
                        "age": chance.randint(25, 85), "sex": chance.choice(("female", "male")),
                        "skin_type": chance.randint(1, 6), "site": chance.choice(SITE_KEYS),
                        "is_proven": "no" if disease in OFTEN_CLINICAL and number % 2 else "yes",
                        "text": "Invented for the demo", "taken_on": f"2016-{1 + number % 12:02d}-01",
                    }
                )  # fmt: skip


def _opened(item: DatasetItem) -> Image.Image:
    return imaging.open_rgb(store.read(item.kept_entry.photo.file_key))


def _draw(folder: Path) -> None:
    """Photos and their table."""
    chance = random.Random(1)
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _COLUMNS)
        table.writeheader()
        for disease in DISEASE_KEYS:
            for number in range(PATIENTS_A_DISEASE):
                person = {
                    "label": disease,
                    "patient": f"{disease}-{number + 1}",
                    "age": chance.randint(25, 85),
                    "sex": chance.choice(("female", "male")),
                    "skin_type": chance.randint(1, 6),
                    "site": chance.choice(SITE_KEYS),
                    "is_proven": chance.choice(("yes", "yes", "no")),
                    "text": "Invented for the demo",
                }
                first = date(2012, 1, 1) + timedelta(days=chance.randrange(3000))
                for visit in range(PHOTOS_A_PATIENT):
                    seed = 1000 + 10 * number + visit
                    drawing = synthetic.synthetic_lesion(disease, seed=seed, size=SIZE)
                    name = f"{disease}-{number + 1}-{visit + 1}.jpg"
                    (folder / name).write_bytes(imaging.encode_jpeg(drawing))
                    day = first + timedelta(days=30 * visit)
                    table.writerow(person | {"file": name, "taken_on": day.isoformat()})
                    if number == visit == 0 and DISEASE_KEYS.index(disease) < COPIES:
                        # The same picture smaller and under another patient: one for the duplicates' queue.
                        small = drawing.resize((SIZE * 3 // 4, SIZE * 3 // 4))
                        (folder / f"copy-{name}").write_bytes(imaging.encode_jpeg(small))
                        copied = {
                            "file": f"copy-{name}",
                            "patient": f"{disease}-copy",
                            "taken_on": day.isoformat(),
                        }
                        table.writerow(person | copied)
