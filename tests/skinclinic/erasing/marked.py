"""A patient whose every text, name and file holds a word that is nowhere else, through every door of the product; and a
search of all tables and files for it."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from classifier.models import Analysis, Evaluation, Monitor, MonitorCase, PhotoFeatures, Training
from classifier.networks.training_photos import TrainingPhoto
from classifier.services.analysis import assessments, features
from classifier.services.evaluation import run as evaluation_run
from classifier.services.following.rules import SENSITIVITY, Rule
from reader_study.models import Answer, Reading, Study, StudyImage, StudySession
from reader_study.services.making import enrolment, protocol
from skinclinic import imaging
from skinclinic.archive.models import DatasetItem, Entry, EntryChange, Import
from skinclinic.archive.services.datasets import datasets
from skinclinic.archive.services.exporting import export, pseudonyms
from skinclinic.archive.services.importing import imports
from skinclinic.models import (
    Biopsy,
    Document,
    FormerCode,
    Lesion,
    OpinionGiven,
    Patient,
    Photo,
    PhotoWord,
    SavedSearch,
    Session,
)
from skinclinic.services import comments, diagnoses, plans, records, second_opinions, visit_records
from skinclinic.services.binning import bin, merges
from skinclinic.web.sessions import SessionStore
from tests import evaluated, factories

WORD = "qzxerase"
CODE = "Qzxerase-7731"


def fill(clinic, clara, ada) -> dict:
    """The patient, beside one who stays."""
    own = factories.make_source(clinic, "Hanok", is_own=True)
    patient = factories.make_patient(
        clinic, "Qzxerase-old", ethnicity="Qzxerase-ish", research_consent="given"
    )
    records.change(patient, {"code": CODE, "referrer": "Dr Qzxerase"}, clara)
    FormerCode.objects.create(clinic=clinic, patient=patient, code="Qzxerase-former-1")
    lesion = Lesion.objects.create(clinic=clinic, patient=patient, created_by=clara, site="nose")
    records.change(lesion, {"note": "Qzxerase nose"}, clara)
    photos = [factories.make_photo(clinic, clara, seed=40 + n, lesion=lesion) for n in range(3)]
    for n, photo in enumerate(photos):
        # As names of files were kept until they were looked at.
        Photo.objects.filter(pk=photo.pk).update(original_name=f"Qzxerase_90010{n}.jpg")
        PhotoWord.objects.create(clinic=clinic, photo=photo, word="qzxerase")
        photo.refresh_from_db()
    analysis = factories.make_analysis(photos[0], clara)
    # What a model makes of a photo is the patient's, too; half numbers are two bytes each.
    features.keep([(analysis, np.frombuffer(b"qzxerase", "<f2"))])
    assert PhotoFeatures.objects.filter(photo=photos[0], values=b"qzxerase").exists()
    named = assessments.Named(disease="mm", text="Qzxerase impression")
    row = assessments.record_impression(clara, analysis, named)
    assessments.decide(clara, analysis, "keep", comment="Qzxerase comment", seen=assessments.stand(row))
    diagnoses.record(lesion=lesion, user=clara, kind="pathology", disease="bcc", text="Qzxerase biopsy 12")
    day = timezone.localdate()
    plans.see_again(lesion, clara, day + timedelta(days=90), note="call Qzxerase")
    Biopsy.objects.create(clinic=clinic, lesion=lesion, taken_on=day, note="of Qzxerase")
    visit_records.record_symptoms(lesion, day, {"since": "Qzxerase"}, clara)
    note = visit_records.add_note(clara, "Qzxerase says", patient=patient)
    visit_records.change_note(note, {"text": "Qzxerase said"}, clara)
    comment = comments.write(lesion, clara, "see Qzxerase")
    comments.change(comment, clara, "look at Qzxerase")
    opinion, _secret = second_opinions.ask_outside(
        lesion, clara, name="Prof Far", photos=photos[:1], email="far@example.org", question="Qzxerase?",
        address=lambda secret: f"https://example.org/{secret}",
    )  # fmt: skip
    OpinionGiven.objects.create(
        clinic=clinic, opinion=opinion, nature="benign", biopsy="no", comment="Qzxerase!"
    )
    Document.objects.create(
        clinic=clinic, patient=patient, lesion=lesion, kind="letter", language="en",
        content={"recipient": "Dr Qzxerase", "body": "Qzxerase"},
    )  # fmt: skip
    entries = [
        factories.make_entry(
            photo, ada, source=own, review="accepted", text="Qzxerase pathology", is_proven=True,
            external_id=f"Qzxerase-{n}", columns={"name": "Qzxerase"},
        )
        for n, photo in enumerate(photos)
    ]  # fmt: skip
    EntryChange.objects.create(
        clinic=clinic, entry=entries[0], action="edited", note="Qzxerase", fields={"text": ["Qzxerase", ""]}
    )
    others = evaluated.make_entries(clinic, ada, ["mm", "sk", "bcc"], source="Cohort")
    version = evaluated.freeze(clinic, ada, [*entries, *others], role="both")
    export.members(version, export.Options(texts=True))
    draft = datasets.new_version(version.dataset, ada)
    hashes = [value for entry in entries for value in (entry.content_sha256, entry.photo.sha256)]
    secrets = [
        *hashes, *(sha256[:12] for sha256 in hashes), pseudonyms.person(clinic.pk, patient.pk),
        pseudonyms.lesion(clinic.pk, lesion.pk),
    ]  # fmt: skip
    model = _model(clinic, version, entries, others)
    evaluation = _evaluation(clinic, ada, model, version, entries, others)
    monitor = Monitor.objects.create(
        clinic=clinic, model_version=model, rule=Rule().to_json(), followed_since=timezone.now()
    )
    MonitorCase.objects.create(
        clinic=clinic, monitor=monitor, endpoint=SENSITIVITY, lesion=lesion, patient=patient, photo=photos[0],
        proof=lesion.diagnoses.get(kind="pathology"), hit=False,
    )  # fmt: skip
    study = _study(clinic, ada, version, [*entries[:2], others[0]])
    _imports(clinic, ada, photos[1])
    SavedSearch.objects.create(clinic=clinic, name=CODE, filters={"q": CODE}, created_by=clara)
    session = SessionStore()
    session.update({"filed": {"patient": patient.pk, "code": CODE}, "kept": "yes"})
    session.save()
    # In the bin: one of its photos, and a second patient who was the same person.
    twin = factories.make_patient(clinic, "Qzxerase-twin-2")
    patient.refresh_from_db()
    chosen = {unit[0]: merges.KEEP for unit in merges.differing(patient, twin)}
    merges.merge(patient, twin, chosen, ada, looked=merges.seen(patient, twin))
    bin.put(Photo.objects.get(pk=photos[2].pk), clara, reason="mistake", words="Qzxerase again")
    return {
        "clinic": clinic, "clinician": clara, "admin_user": ada, "patient": Patient.objects.get(pk=patient.pk),
        "version": version, "draft": draft, "model": model, "evaluation": evaluation, "study": study,
        "secrets": secrets, "files": [photo.file_key for photo in photos], "others": others,
    }  # fmt: skip


def _model(clinic, version, entries, others):
    listed = [
        TrainingPhoto(entry.content_sha256, entry.photo.sha256, entry.phash) for entry in [*entries, *others]
    ]
    model = evaluated.make_model(
        clinic, settings.MODELS_DIR / f"clinic-{clinic.pk}", "learnt", photos=listed, trained_on=version
    )
    training = Training.objects.create(
        clinic=clinic, name="learning", dataset_version=version, architecture="efficientnet_lite0", init="random",
        choices={},
    )  # fmt: skip
    _write(f"training/{training.pk}/1/photos.json", json.dumps([{"sha256": entries[0].content_sha256}]))
    return model


def _evaluation(clinic, ada, model, version, entries, others) -> Evaluation:
    row = Evaluation.objects.create(clinic=clinic, name="First", created_by=ada, state="done")
    row.model_versions.add(model)
    row.dataset_versions.add(version)
    items = {item.entry_id: item.pk for item in version.items.all()}
    both = [*entries, *others]
    arrays = {
        "items": np.array([items[entry.pk] for entry in both]),
        "photos": np.array([entry.photo_id for entry in both]),
        "names": np.array([entry.external_id for entry in both], np.str_),
    }
    row.folder.mkdir(parents=True)
    np.savez_compressed(
        row.folder / evaluation_run.SCORES, **{f"d{version.pk}_{name}": kept for name, kept in arrays.items()}
    )
    rows = [{"kind": "photo", "test": "Qzxerase-0", "train": entries[1].content_sha256[:12], "distance": 0}]
    leaks = [{"dataset": version.pk, "models": [{"model": model.pk, "rows": rows}]}]
    (row.folder / evaluation_run.LEAKS).write_text(json.dumps(leaks))
    # What is kept beside it names nobody, but has keys of photos.
    for name in ("coverage-1-1.json", "gallery-1-1-0.npy"):
        (row.folder / name).write_text(json.dumps({"photo": entries[0].photo_id, "of": "Qzxerase-0"}))
    return row


def _study(clinic, ada, version, entries) -> Study:
    study = Study.objects.create(clinic=clinic, name="Three lesions", created_by=ada, state="closed")
    session = StudySession.objects.create(study=study, number=1, key="unaided")
    items = {item.entry_id: item for item in version.items.all()}
    images = [
        StudyImage.objects.create(
            study=study, number=n, name=f"{n:03d}", dataset=str(version), dataset_item=items[entry.pk],
            photo=entry.photo, content_sha256=entry.content_sha256, truth=entry.label, sex="female", age=61,
        )
        for n, entry in enumerate(entries, start=1)
    ]  # fmt: skip
    study.recipe = {"taken_out": [images[0].content_sha256]}
    protocol.fix(study)
    study.save()
    reader, _secret = enrolment.enrol(study, group=None, by=ada, name="Reader 1")
    reading = Reading.objects.get(reader=reader, session=session)
    now = timezone.now()
    for image in images:
        Answer.objects.create(
            reading=reading,
            image=image,
            choice="bcc",
            comment="" if image.number == 3 else "Qzxerase?",
            answered_at=now,
            changed_at=now,
        )
    _write(
        f"studies/{study.pk}/results/images.csv", "image,truth,sex,age,patient\r\n001,bcc,female,61,P0001\r\n"
    )
    _write(
        f"studies/{study.pk}/results/answers.csv",
        "image,answer,comment\r\n001,bcc,Qzxerase?\r\n003,bcc,fine\r\n",
    )
    return study


def _imports(clinic, ada, photo: Photo) -> None:
    row = imports.begin(clinic=clinic, user=ada, name="Half", format="csv", role="both", photos="photos.zip")
    Import.objects.filter(pk=row.pk).update(state="refused", report={"errors": [{"row": 2, "shown": CODE}]})
    _write(f"imports/{row.pk}/table.csv", f"file,patient\n1.jpg,{CODE}\n")
    data = factories.jpeg_bytes(41)
    assert imaging.sha256(data) == photo.sha256
    inbox = f"inbox/{clinic.slug}/archive"
    _write(f"{inbox}/photos/left.jpg", data)
    _write(f"{inbox}/photos/other.jpg", factories.jpeg_bytes(99))
    table = f"file,patient\nleft.jpg,7\nother.jpg,8\nthird.jpg,{CODE}\n"
    _write(f"{inbox}/table.csv", table)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("left.jpg", data)
        archive.writestr("other.jpg", factories.jpeg_bytes(99))
        archive.writestr("table.csv", table)
    _write(f"inbox/{clinic.slug}/archive.zip", zipped.getvalue())


def _write(path: str, content: str | bytes) -> None:
    target = settings.SKINCLINIC_HOME / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)


# Searching


def found(words: list[str], *, home: Path) -> list[str]:
    """Where any of these stands: in any column of any table, in any file, also inside of ZIPs and arrays."""
    wanted = [word.casefold().encode() for word in words]

    def holds(data: bytes) -> bool:
        folded = data.lower()
        return any(word in folded for word in wanted)

    places = [place for place, text in _texts() if holds(text.encode())]
    for path in (path for path in home.rglob("*") if path.is_file() and path.suffix != ".safetensors"):
        if holds(path.name.encode()):
            places.append(f"the name of {path}")
        places += [f"{path}: {inside}" for inside, data in _inside(path) if holds(data)]
    return places


def _texts() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield f"{table} {dict(zip(names, row, strict=True))}", repr([_plain(value) for value in row])
    for session in Session.objects.all():
        yield "skinclinic_session", repr(session.get_decoded())


def _plain(value: object) -> object:
    return bytes(value).decode("latin-1") if isinstance(value, memoryview | bytes) else value


def _inside(path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield "", data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"{name} (name)", name.encode()
                inside = archive.read(name)
                yield name, inside
                if name.endswith(".npy"):
                    # Texts of arrays are UTF-32.
                    yield name, str(np.load(io.BytesIO(inside)).tolist()).encode()


def rows_left(patient: Patient, photos: list[int]) -> int:
    """Rows that still name the patient or a photo by key, whatever the relation."""
    count = 0
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if column.related_model is Patient:
                count += model._base_manager.filter(**{column.name: patient.pk}).count()
            elif column.related_model is Photo:
                count += model._base_manager.filter(**{f"{column.name}__in": photos}).count()
    return (
        count
        + Analysis.objects.filter(photo__in=photos).count()
        + Entry.objects.filter(photo__in=photos).count()
    )


def withdrawn(version) -> int:
    return DatasetItem.objects.filter(
        version=version, content_sha256__startswith=DatasetItem.WITHDRAWN
    ).count()
