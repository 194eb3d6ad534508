"""What the demo clinic holds: synthetic lesions, or real photos from a PAD-UFES-20 folder."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from PIL import Image

from classifier.drawings import synthetic
from classifier.services.analysis.analyses import request_analysis
from skinclinic import imaging
from skinclinic.archive.formats.columns import Reader
from skinclinic.archive.formats.known import PAD_UFES_20
from skinclinic.archive.formats.photo_sets import Ambiguous, Folder, PhotoSet, Unreadable
from skinclinic.archive.formats.problems import PhotosRefused, Problem, TableRefused
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.tables import Table
from skinclinic.archive.formats.words.folding import fold
from skinclinic.archive.services.importing.facts import Facts
from skinclinic.models import Clinic, Diagnosis, Lesion, Patient, Photo, User
from skinclinic.services import diagnoses, visit_records, visits
from skinclinic.services.photos import store_photo
from skinclinic.vocabulary import asked

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


def table_of(folder: Path) -> Table:
    """The table of a PAD-UFES-20 folder. Raises TableRefused, OSError."""
    table = Table(folder / "metadata.csv")
    PAD_UFES_20.of(table)
    return table


def seed_real(clinic: Clinic, user: User, table: Table, *, say: Callable[[str], object]) -> None:
    """Import the photos of a PAD-UFES-20 folder and ask for the analyses, newest photos first.

    A row that cannot be read, or whose photo is missing or unusable, is named and left out.
    """
    layout = PAD_UFES_20.of(table)
    reader, photos = Reader(layout, {}, {}), []
    try:
        files = Folder(table.path.parent)
    except PhotosRefused as refused:
        raise TableRefused(refused.message, **refused.params) from None
    facts = Facts().gather(row for record in table.records() for row, _problems in reader.rows(record) if row)
    for record in table.records():
        for row, problems in reader.rows(record):
            try:
                if row is None:
                    raise ValueError("; ".join(map(_in_words, problems)))
                photos.append(_import_row(clinic, user, files, facts.complete(row), record.cells))
            except (LookupError, Unreadable, ValueError, imaging.PhotoRejected) as error:
                say(f"left out row {record.number}, {record.cells.get(str(layout.columns['file']))}: {error}")
    for photo in reversed(photos):
        request_analysis(photo, user=user)


def _in_words(problem: Problem) -> str:
    return f"{problem.column} {problem.value!r}: {problem.message % problem.params}"


def _import_row(clinic: Clinic, user: User, files: PhotoSet, row: Row, cells: Mapping[str, str]) -> Photo:
    if (disease := PAD_UFES_20.labels.get(fold(row.label))) is None:
        raise ValueError(f"{row.label!r} is none of its diseases")
    try:
        name = files.find(row.file)
    except Ambiguous:
        raise ValueError("several photos have this name") from None
    if name is None:
        raise ValueError("this photo is not there")
    data = files.read(name, imaging.MAX_BYTES)
    patient, _created = Patient.objects.get_or_create(
        clinic=clinic,
        code=row.patient,
        defaults={
            "birth_year": timezone.localdate().year - row.age if row.age is not None else None,
            "sex": row.sex,
            "skin_type": row.skin_type,
            "created_by": user,
            **asked.answers_in(cells, asked.HISTORY),
        },
    )
    lesion, created = Lesion.objects.get_or_create(
        clinic=clinic,
        patient=patient,
        note=f"PAD-UFES-20 lesion {row.lesion} ({cells['region'].lower()})",
        defaults={"site": row.site, "created_by": user},
    )
    photo, _created = store_photo(clinic=clinic, user=user, data=data, name=row.file, lesion=lesion)
    if created:
        visit_records.record_symptoms(
            lesion,
            visits.day_of(photo.captured_at, photo.created_at),
            asked.answers_in(cells, asked.SYMPTOMS),
            user,
        )
        diagnoses.record(
            lesion=lesion,
            user=user,
            kind=Diagnosis.Kind.PATHOLOGY if row.is_proven else Diagnosis.Kind.IMPRESSION,
            disease=disease,
            confirmed_by=row.confirmed_by,
            text="From PAD-UFES-20 metadata",
        )
    return photo
