"""What the demo clinic holds: synthetic lesions, or real photos from a PAD-UFES-20 folder."""

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from PIL import Image

from classifier.drawings import synthetic
from classifier.services.analysis.analyses import request_analysis
from skinclinic import imaging
from skinclinic.models import Clinic, Diagnosis, Lesion, Patient, Photo, User
from skinclinic.services import diagnoses
from skinclinic.services.photos import store_photo

SLUG = "demo"
MONTHS_BETWEEN_VISITS = timedelta(days=91)

# (code, birth year, sex, skin type, ethnicity, [(disease drawn, site, photos)])
PATIENTS = (
    ("DEMO-001", 1951, "male", 2, "European", [("bcc", "nose", 1), ("ak", "forehead", 1)]),
    ("DEMO-002", 1978, "female", 3, "Korean", [("nevus", "back", 3), ("sk", "abdomen", 1)]),
    ("DEMO-003", 1944, "male", 1, "European", [("scc", "hand", 1), ("iec", "lower_leg", 1)]),
    ("DEMO-004", 1966, "female", 4, "Korean", [("mm", "sole", 2)]),
    ("DEMO-005", 1992, "female", 5, "South Asian", [("df", "thigh", 1), ("wart", "finger", 1)]),
    ("DEMO-006", 1985, "male", 6, "West African", [("hemangioma", "chest", 1), ("pg", "lip", 1)]),
    ("DEMO-007", 1959, "female", 3, "Korean", [("lentigo", "cheek", 1)]),
)

PAD_DISEASE = {"BCC": "bcc", "SCC": "scc", "ACK": "ak", "SEK": "sk", "MEL": "mm", "NEV": "nevus"}
PAD_SITE = {
    "ABDOMEN": "abdomen", "ARM": "upper_arm", "BACK": "back", "CHEST": "chest", "EAR": "ear",
    "FOOT": "foot", "FOREARM": "forearm", "HAND": "hand", "LIP": "lip", "NECK": "neck", "NOSE": "nose",
    "SCALP": "scalp", "THIGH": "thigh",
}  # fmt: skip


def seed_synthetic(clinic: Clinic, user: User) -> None:
    """Make a handful of patients with synthetic lesions and ask for their analyses."""
    for number, (code, birth_year, sex, skin_type, ethnicity, lesions) in enumerate(PATIENTS):
        patient = Patient.objects.create(
            clinic=clinic, code=code, birth_year=birth_year, sex=sex, skin_type=skin_type,
            ethnicity=ethnicity, created_by=user,
        )  # fmt: skip
        for disease, site, photos in lesions:
            lesion = Lesion.objects.create(clinic=clinic, patient=patient, site=site, created_by=user)
            drawing = synthetic.synthetic_lesion(disease, seed=100 * number, size=640)
            for visit in range(photos):
                photo, _created = store_photo(
                    clinic=clinic, user=user, data=imaging.encode_jpeg(_at_visit(drawing, visit)),
                    lesion=lesion, name=f"synthetic {disease} {visit + 1}.jpg", is_synthetic=True,
                )  # fmt: skip
                photo.captured_at = timezone.now() - MONTHS_BETWEEN_VISITS * (photos - 1 - visit)
                photo.save(update_fields=["captured_at"])
                request_analysis(photo, user=user)


def _at_visit(drawing: Image.Image, visit: int) -> Image.Image:
    """The same lesion as photographed at a later visit: a little turned, and grown by 12 % each time."""
    side, kept = drawing.width, 560 * 0.88**visit
    edge = (side - kept) / 2
    turned = drawing.rotate(4 * visit, Image.Resampling.BICUBIC)
    return turned.crop((round(edge), round(edge), round(side - edge), round(side - edge))).resize((512, 512))


def seed_real(clinic: Clinic, user: User, folder: Path, *, say: Callable[[str], object]) -> None:
    """Import a PAD-UFES-20 folder and ask for the analyses, newest photos first.

    A row whose photo is missing or unusable is named and left out.
    """
    with (folder / "metadata.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    photos = []
    for row in rows:
        try:
            photos.append(_import_row(clinic, user, folder, row))
        except (OSError, imaging.PhotoRejected) as error:
            say(f"left out {row.get('file_name')}: {error}")
    for photo in reversed(photos):
        request_analysis(photo, user=user)


def _import_row(clinic: Clinic, user: User, folder: Path, row: dict) -> Photo:
    data = (folder / "images" / Path(row["file_name"]).name).read_bytes()
    patient, _created = Patient.objects.get_or_create(
        clinic=clinic,
        code=row["patient_id"],
        defaults={
            "birth_year": timezone.localdate().year - int(float(row["age"])) if row["age"] else None,
            "sex": {"MALE": "male", "FEMALE": "female"}.get(row["gender"], ""),
            "skin_type": int(float(row["fitspatrick"])) if row["fitspatrick"] else None,
            "created_by": user,
        },
    )
    lesion, created = Lesion.objects.get_or_create(
        clinic=clinic,
        patient=patient,
        note=f"PAD-UFES-20 lesion {row['lesion_id']} ({row['region'].lower()})",
        defaults={"site": PAD_SITE.get(row["region"], ""), "created_by": user},
    )
    photo, _created = store_photo(clinic=clinic, user=user, data=data, name=row["file_name"], lesion=lesion)
    if created:
        proven = row["biopsed"] == "True"
        diagnoses.record(
            lesion=lesion,
            user=user,
            kind=Diagnosis.Kind.PATHOLOGY if proven else Diagnosis.Kind.IMPRESSION,
            disease=PAD_DISEASE[row["diagnostic"]],
            confirmed_by=Diagnosis.ConfirmedBy.HISTOPATHOLOGY if proven else "",
            text="From PAD-UFES-20 metadata",
        )
    return photo
