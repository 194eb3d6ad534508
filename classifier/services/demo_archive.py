"""The demo's archive: drawings of the 12 diseases, imported as any archive is, part of them reviewed, one
version frozen. Its patients, ages and proofs are invented, and it says so."""

import csv
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

from classifier import synthetic
from skinclinic import imaging
from skinclinic.archive.models import DatasetVersion, Entry, Import, Review, Source
from skinclinic.archive.services import datasets, duplicates, freezing, imports, review
from skinclinic.diseases import DISEASE_KEYS
from skinclinic.models import Clinic, User
from skinclinic.sites import SITE_KEYS

NAME = "Drawings"
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
    Source.objects.create(clinic=clinic, name=NAME, is_synthetic=True, created_by=user)
    with tempfile.TemporaryDirectory() as folder:
        _draw(Path(folder))
        row = imports.begin(
            clinic=clinic, user=user, name=NAME, format=Import.Format.CSV, role="both", photos=folder,
            metadata=str(Path(folder) / "table.csv"), columns=_COLUMNS, provenance=_PROVENANCE,
        )  # fmt: skip
        imports.start_check(row)
        imports.run_check(row)
        imports.start_write(row)
        imports.run_write(row)
    keys = list(Entry.objects.filter(clinic=clinic).order_by("pk").values_list("pk", flat=True))
    random.Random(2).shuffle(keys)
    review.decide(clinic=clinic, user=user, entry_ids=keys[LEFT_TO_REVIEW:], review=Review.ACCEPTED)
    version = DatasetVersion.objects.get(clinic=clinic, dataset__name=NAME)
    waiting = version.items.filter(entry__review=Review.PENDING).values_list("pk", flat=True)
    datasets.remove(version, list(waiting))
    datasets.split(version, "patient", 0.7)
    freezing.freeze(version, user)
    duplicates.request_search(clinic)


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
