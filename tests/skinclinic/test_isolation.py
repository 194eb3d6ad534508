"""No page and no API route gives another clinic's rows away, or lets a read-only member change anything."""

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import unquote, urlencode

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils import timezone
from rest_framework.viewsets import GenericViewSet

from classifier.models import Explanation, ModelExport, Monitor, Shadow, Training, TrainingRun
from classifier.services.following.rules import Rule
from classifier.services.models import registry
from reader_study.models import StudyImage
from reader_study.services.making import enrolment, studies
from skinclinic.api.filtering import OwnRowsFilterBackend
from skinclinic.api.permissions import KnownParameters
from skinclinic.archive.models import (
    BackgroundDisease,
    BulkChange,
    Dataset,
    DatasetItem,
    DatasetVersion,
    DuplicatePair,
    Import,
    Subtype,
)
from skinclinic.files import store
from skinclinic.help.places import page_for
from skinclinic.models import AuditEvent, Diagnosis, Job, Member, Photo, User
from skinclinic.services import (
    cases_at_once,
    comments,
    diagnoses,
    documents,
    image_archives,
    invitations,
    plans,
    record_systems,
    second_opinions,
    sizes,
    step_up,
    tokens,
    visit_records,
    webhooks,
)
from skinclinic.services.binning import bin, restoring
from skinclinic.web.audited import OWN_HISTORY
from skinclinic.web.looks import look_of
from tests import factories
from tests.cases import undone
from tests.skinclinic.isolation_table import TABLE
from tests.skinclinic.pages import audited

pytestmark = pytest.mark.django_db

OURS = ("skinclinic", "classifier", "reader_study")
ALL_METHODS = ("get", "post", "put", "patch", "delete")
CHANGING = ALL_METHODS[1:]
JPEG = factories.jpeg_bytes(99, 96, 96)
# What belongs to a clinic through its study, and what else running a study may add.
BELOW_A_STUDY = {
    "StudySession": "study", "StudyImage": "study", "StudyEvent": "study", "StudyResult": "study",
    "ReaderGroup": "study", "Reader": "study", "Reading": "reader__study", "Answer": "reading__reader__study",
    "AnswerChange": "reading__reader__study", "ReaderConsent": "reader__study", "ReaderAbout": "reader__study",
    "PracticeTry": "reading__reader__study",
}  # fmt: skip
OF_STUDIES = {"Study", "Job", *BELOW_A_STUDY}
IN_PLAIN_PATH = re.compile(r"<(?:\w+:)?(?P<name>\w+)>")
IN_REGEX = re.compile(r"\(\?P<(?P<name>\w+)>[^)]*\)")


@dataclass(frozen=True)
class Route:
    name: str
    pattern: str

    @property
    def is_api(self) -> bool:
        """Its documentation is a page."""
        return self.pattern.startswith("api/") and self.name != "api-docs"

    @property
    def access(self):
        return TABLE[self.name]

    def address(self, values: dict[str, object]) -> str:
        """The route with its parts filled in, also with values that its converters would not take."""
        values = {"format": "json", **values}
        text = IN_PLAIN_PATH.sub(lambda match: str(values[match["name"]]), self._without_anchors())
        return "/" + text

    def _without_anchors(self) -> str:
        text = IN_REGEX.sub(lambda match: f"<{match['name']}>", self.pattern)
        # "$everything" is FHIR's name of an operation.
        text = text.replace("/?$", "").removesuffix("$").replace("^", "")
        return text.replace("\\.", ".").replace("\\Z", "")

    def __str__(self) -> str:
        return f"{self.name} {self.pattern}"


def routes(resolver: URLResolver | None = None, prefix: str = ""):
    for pattern in (resolver or get_resolver()).url_patterns:
        full = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, full)
        else:
            yield Route(pattern.name, full)


ALL_ROUTES = list(routes())
ROUTES = [route for route in ALL_ROUTES if route.name in TABLE]
ROWS = [route for route in ROUTES if route.access.kind == "row"]


@pytest.fixture(scope="module")
def two_clinics(standing, model_dir):
    with standing.building() as home:
        clinic, other = (
            factories.make_clinic("Hanok Dermatology"),
            factories.make_clinic("Elsewhere Skin Centre"),
        )
        registry.register(model_dir)
        admin = factories.make_member(clinic, "admin", "ada")
        standing.keep(
            clinic=clinic,
            other_clinic=other,
            clinician=factories.make_member(clinic, "clinician", "clara"),
            coordinator=factories.make_member(clinic, "coordinator", "cora"),
            admin_user=admin,
            outsider=factories.make_member(other, "admin", "oscar"),
            world=one_of_everything(clinic, admin, home),
        )


@pytest.fixture
def world(two_clinics, given):
    return given["world"]


def one_of_everything(clinic, admin_user, folder) -> SimpleNamespace:
    """One row of everything in a clinic, and the texts that nobody outside may ever see."""
    quist = factories.make_member(clinic, "clinician", "quist")
    quist.display_name = "Zebulon Quist"
    quist.save()
    patient = factories.make_patient(clinic, "SECRETP-7781", ethnicity="SECRETETHNIC-12")
    photo = factories.make_photo(clinic, quist, name="secret-photo-4471.jpg")
    lesion = photo.lesion
    lesion.patient, lesion.note = patient, "SECRETNOTE-313"
    lesion.save()
    own_model = factories.proven(
        registry.register(factories.make_model_dir(folder / "own", name="secret-model"), clinic=clinic)
    )
    publication = registry.publish(own_model, clinic=clinic, user=admin_user, reason="SECRETREASON-55")
    analysis = factories.make_analysis(photo, quist)
    pathology = diagnoses.record(
        lesion=lesion, user=quist, kind=Diagnosis.Kind.PATHOLOGY, disease="bcc", text="SECRETTEXT-919"
    )
    invitation, _secret = invitations.invite(
        clinic, email="quist.invited@example.org", role="curator", by=admin_user
    )
    Assessment = apps.get_model("classifier", "Assessment")
    assessment = Assessment.objects.create(
        clinic=clinic, analysis=analysis, user=admin_user, comment="SECRETCOMMENT-8"
    )
    source = factories.make_source(clinic, "SECRETSOURCE-6", licence="SECRETLICENCE-2")
    entry = factories.make_entry(
        photo, quist, source=source, external_id="SECRETID-81", text="SECRETTEXT-918"
    )
    second = factories.make_entry(
        factories.make_photo(clinic, quist, seed=1), quist, source=source, label="SECRETDISEASE-4"
    )
    bulk_change = BulkChange.objects.create(
        clinic=clinic, action="relabel", entries=[entry.pk], created_by=quist, state="done", total=1, done=1,
        changed=1, seen=timezone.now(),
        values={"label": "SECRETDISEASE-4", "note": "SECRETWHY-2", "fields": {"confirmed_by": "", "icd10": ""}},
    )  # fmt: skip
    pair = DuplicatePair.objects.create(clinic=clinic, first=entry, second=second, distance=2)
    import_row = Import.objects.create(
        clinic=clinic, name="SECRETIMPORT-5", format="csv", photos="", source=source, created_by=quist
    )
    dataset = Dataset.objects.create(clinic=clinic, name="SECRETDATASET-9", created_by=quist)
    version = DatasetVersion.objects.create(clinic=clinic, dataset=dataset, number=1, created_by=quist)
    item = DatasetItem.objects.create(
        version=version, entry=entry, label="bcc", content_sha256=entry.content_sha256
    )
    Evaluation = apps.get_model("classifier", "Evaluation")
    evaluation = Evaluation.objects.create(clinic=clinic, name="SECRETEVALUATION-3", created_by=quist)
    job = Job.objects.create(kind="train", key="secret", clinic=clinic)
    training = Training.objects.create(
        clinic=clinic, name="secret-training-3", dataset_version=version, architecture="resnet152", init="random",
        choices={"runs": 1, "epochs": 1}, created_by=quist,
    )  # fmt: skip
    TrainingRun.objects.create(training=training, number=1, seed=0, job=job)
    study = studies.create(clinic, admin_user, name="SECRETSTUDY-7", description="SECRETPLAN-3")
    StudyImage.objects.create(
        study=study, number=1, name="001", dataset="SECRETDATASET-9", photo=photo, truth="bcc",
        content_sha256=entry.content_sha256,
    )  # fmt: skip
    study.protocol, study.protocol_sha256 = {"name": study.name}, "0" * 64
    study.save()
    reader, _link = enrolment.enrol(
        study, group=study.groups.first(), by=admin_user, name="SECRETREADER-4", email="reader@example.org"
    )
    reading, image = reader.readings.first(), study.images.get()
    answer = reading.answers.create(
        image=image, choice="bcc", answered_at=timezone.now(), changed_at=timezone.now()
    )
    second_opinion, _secret = second_opinions.ask_outside(
        lesion, quist, name="SECRETCOLLEAGUE-2", question="SECRETQUESTION-5", photos=[photo], days=14
    )
    tagged = cases_at_once.tag(quist.memberships.get(), quist, [lesion.pk], "SECRETTAG-3")
    service = tokens.make_service_account(clinic, name="SECRETPROGRAM-6", role="clinician")
    factories.make_token(service.user, clinic=clinic)
    hooked, _secret = webhooks.make(
        clinic, admin_user, url="https://secrethook.example/", events=["study.closed"]
    )
    deleted = factories.make_patient(clinic, "SECRETGONE-5", ethnicity="SECRETETHNIC-12")
    return SimpleNamespace(
        bin_item=bin.put(deleted, quist, reason="mistake", words="SECRETMISTAKE-1"),
        service_member=service,
        webhook=hooked,
        queued_job=job,
        image_archive=image_archives.add(
            clinic,
            admin_user,
            {"name": "SECRETPACS-8", "way": "web", "url": "https://secretpacs.example/dicom-web"},
        ),
        record_system=record_systems.make(
            clinic,
            admin_user,
            name="SECRETRECORDS-8",
            issuer="https://records.example/fhir",
            client_id="x",
            secret="",
        ),
        token=service.user.api_tokens.get(),
        cases_change=tagged.change,
        saved_search=clinic.saved_searches.create(name="SECRETSEARCH-4", created_by=quist),
        comment=comments.write(lesion, quist, "SECRETWORDS-61 @ada"),
        second_opinion=second_opinion,
        reading=reading,
        answer=answer,
        answer_change=reading.changes.create(image=image, key=uuid.uuid4(), number=1, choice="bcc"),
        session_key="unaided",
        kind_of_work="evaluation",
        checklist_kind="csv",
        listed_disease="bcc",
        position=1,
        study=study,
        reader=reader,
        evaluation=evaluation,
        training=training,
        source=source,
        entry=entry,
        change=entry.changes.get(),
        pair=pair,
        bulk_change=bulk_change,
        import_row=import_row,
        background_disease=BackgroundDisease.objects.create(clinic=clinic, name="Rosacea"),
        subtype=Subtype.objects.create(clinic=clinic, label="bcc", name="Rare"),
        dataset=dataset,
        version=version,
        item=item,
        clinic=clinic,
        slug=clinic.slug,
        member=quist.memberships.get(),
        invitation=invitation,
        patient=patient,
        lesion=lesion,
        follow_up=plans.see_again(lesion, quist, timezone.localdate() + timedelta(days=90), "SECRETPLAN-41"),
        biopsy=plans.await_biopsy(lesion, quist, timezone.localdate(), note="SECRETBIOPSY-17"),
        note=visit_records.add_note(quist, "SECRETWORD-52", lesion=lesion, visit_on=timezone.localdate()),
        symptoms=visit_records.record_symptoms(
            lesion, timezone.localdate(), {"itch": "yes", "since": "SECRETSINCE-6"}, quist
        ).row,
        letter=documents.make_letter(
            patient,
            quist,
            recipient="SECRETREFERRER-3",
            subject="s",
            body="b",
            signed="x",
            language="en",
            tells_model=False,
        ),
        patient_size=sizes.set_on_patient(lesion, quist, timezone.localdate(), Decimal("63.7")),
        photo=photo,
        analysis=analysis,
        explanation=Explanation.objects.create(clinic=clinic, analysis=analysis, method="score_cam"),
        pathology=pathology,
        assessment=assessment,
        own_model=own_model,
        model_export=ModelExport.objects.create(clinic=clinic, model_version=own_model, format="onnx"),
        own_set=own_model.threshold_sets.first(),
        shadow=Shadow.objects.create(clinic=clinic, model_version=own_model, in_use=own_model),
        monitor=Monitor.objects.create(
            clinic=clinic, model_version=own_model, rule=Rule().to_json(), followed_since=timezone.now()
        ),
        publication=publication,
        unknown_secret="a" * 43,
        markers=[
            clinic.name,
            "Zebulon Quist",
            "SECRETPROGRAM-6",
            "secrethook",
            "SECRETRECORDS-8",
            "SECRETP-7781",
            "SECRETGONE-5",
            "SECRETMISTAKE-1",
            "SECRETETHNIC-12",
            "secret-photo-4471.jpg",
            "SECRETNOTE-313",
            "SECRETPLAN-41",
            "SECRETBIOPSY-17",
            "SECRETWORD-52",
            "SECRETREFERRER-3",
            "SECRETSINCE-6",
            "SECRETCOLLEAGUE-2",
            "SECRETQUESTION-5",
            "SECRETWORDS-61",
            "SECRETTAG-3",
            "SECRETSEARCH-4",
            "63.7",
            "secret-model",
            "secret-training-3",
            "SECRETREASON-55",
            "SECRETTEXT-919",
            "SECRETTEXT-918",
            "SECRETSOURCE-6",
            "SECRETLICENCE-2",
            "SECRETID-81",
            "SECRETDISEASE-4",
            "SECRETWHY-2",
            "SECRETIMPORT-5",
            "SECRETDATASET-9",
            "SECRETCOMMENT-8",
            "quist.invited@example.org",
            "SECRETSTUDY-7",
            "SECRETPLAN-3",
            "SECRETREADER-4",
            "reader@example.org",
            photo.sha256,
        ],
    )


def address_of(route: Route, world) -> str:
    values = {name: getattr(world, attribute) for name, attribute in route.access.args.items()}
    return route.address({name: getattr(value, "pk", value) for name, value in values.items()})


def foreign_references(world) -> dict:
    """Fields and query parameters that name the other clinic's rows, in every spelling pages use."""
    return {
        "clinic": world.slug,
        "patient": world.patient.pk,
        "lesion": world.lesion.pk,
        "lesions": world.lesion.pk,
        "photo": world.photo.pk,
        "photos": world.photo.pk,
        "ids": world.photo.pk,
        "have": f"{world.photo.pk}:queued",
        "seen": f"{world.lesion.pk}:queued",
        "analysis": world.analysis.pk,
        "model_version": world.own_model.pk,
        "from_version": world.own_model.pk,
        "diagnosis": world.pathology.pk,
        "entry": world.entry.pk,
        "entries": world.entry.pk,
        "selected": world.entry.pk,
        "change": world.change.pk,
        "source": world.source.pk,
        "dataset": world.dataset.pk,
        "version": world.version.pk,
        "versions": world.version.pk,
        "decided": world.pair.pk,
        "member": world.member.pk,
        "study": world.study.pk,
        "reader": world.reader.pk,
    }


def body_for(world) -> dict:
    """A form that most pages would take, full of the other clinic's ids."""
    return foreign_references(world) | {
        "code": "STRANGER-1",
        "site": "cheek",
        "disease": "mm",
        "kind": "pathology",
        "confirmed_by": "histopathology",
        "role": "admin",
        "is_active": "no",
        "email": "stranger@example.org",
        "name": "Stranger",
        "skip": "1",
        "decision": "agree",
        "x": 0,
        "y": 0,
        "size": 64,
        "reason": "stranger",
    }


def parameters_of(route: Route, address: str) -> set[str]:
    """Those that a list of the API knows; none for anything else."""
    if not route.is_api or not route.name.endswith("-list"):
        return set()
    view = resolve(address).func.cls
    return OwnRowsFilterBackend().parameters_of(view, view.queryset)


def asked_with(method: str, route: Route, address: str) -> set[str] | None:
    """Parameters that an address of the API may be asked with; None where nothing holds it to them beforehand."""
    try:
        found = resolve(unquote(address)).func
    except Resolver404:
        return None
    view, actions = getattr(found, "cls", None), getattr(found, "actions", None) or {}
    if KnownParameters not in getattr(view, "permission_classes", ()):
        return None
    if method == "get" and (known := parameters_of(route, address)):
        return known
    return set(getattr(view, "asked_with", {}).get(actions.get(method, method), ()))


def ask(client: Client, method: str, route: Route, address: str, world):
    """Send a request full of the other clinic's ids. A view that breaks answers 500 here."""
    client.raise_request_exception = False
    named = foreign_references(world) | {"q": "SECRETP"}
    if (known := asked_with(method, route, address)) is not None:
        # What there is no such parameter of is refused before anything is looked for.
        named = {name: value for name, value in named.items() if name in known}
    address += "?" + urlencode(named)
    body = body_for(world) | route.access.body
    if method == "post":
        names = ("file", "weights", "manifest")
        body |= {name: SimpleUploadedFile(f"stranger-{name}.jpg", JPEG, "image/jpeg") for name in names}
    response = send(client, method, route, address, body)
    if unknown := unknown_fields(response):
        # What is no field of it is refused before anything is looked for.
        known = {name: value for name, value in body.items() if name not in unknown}
        for file in known.values():
            if isinstance(file, SimpleUploadedFile):
                file.seek(0)
        response = send(client, method, route, address, known)
    return response


def send(client: Client, method: str, route: Route, address: str, body: dict):
    if method == "post":
        return client.post(address, body)
    if method in ("put", "patch") and route.is_api:
        return getattr(client, method)(address, body, content_type="application/json")
    return getattr(client, method)(address)


def unknown_fields(response) -> set[str]:
    """Fields that an answer of the API says there are none of."""
    if response.status_code != 400 or not response.get("Content-Type", "").startswith("application/json"):
        return set()
    fields = response.json().get("error", {}).get("fields", {})
    said = ("There is no such field", "This is only told")
    return {name for name, words in fields.items() if str(words[0]).startswith(said)}


def content_of(response) -> str:
    data = b"".join(response.streaming_content) if response.streaming else response.content
    headers = " ".join(f"{name}: {value}" for name, value in response.items())
    return headers + data.decode(errors="replace")


def snapshot(world) -> dict:
    """Everything that belongs to the clinic: its rows, its people, its files."""
    rows = {}
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        if any(field.name == "clinic" for field in model._meta.fields):
            rows[model.__name__] = list(
                model._default_manager.filter(clinic=world.clinic).order_by("pk").values()
            )
    for model in apps.get_models():
        if path := BELOW_A_STUDY.get(model.__name__):
            rows[model.__name__] = list(
                model._default_manager.filter(**{f"{path}__clinic": world.clinic}).order_by("pk").values()
            )
    rows["clinic"] = type(world.clinic).objects.filter(pk=world.clinic.pk).values().get()
    people = User.objects.filter(memberships__clinic=world.clinic).order_by("pk")
    rows["people"] = list(people.values("username", "password", "display_name", "email", "is_active"))
    rows["files"] = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (settings.PHOTOS_DIR, settings.MODELS_DIR)
        for path in sorted((folder / f"clinic-{world.clinic.pk}").rglob("*"))
        if path.is_file()
    }
    return rows


def leaks(response, world) -> list[str]:
    shown = content_of(response)
    return [f"shows {marker}" for marker in world.markers if marker in shown]


def walk(world, client_of, methods=ALL_METHODS):
    """Ask every route; yield (route, {method: response})."""
    client = client_of()
    for route in ROUTES:
        address = address_of(route, world)
        yield route, {method: ask(client, method, route, address, world) for method in methods}
        if route.access.kind == "personal":
            # It may have signed out, or changed the password.
            client = client_of()


def may_have_changed(statuses: dict[str, int]) -> bool:
    return any(status < 400 for method, status in statuses.items() if method != "get")


def statuses_of(responses: dict) -> dict[str, int]:
    return {method: response.status_code for method, response in responses.items()}


def test_the_table_names_every_route():
    missing = {route.name for route in ALL_ROUTES} - set(TABLE)
    assert not missing, f"add to tests/skinclinic/isolation_table.py: {sorted(missing)}"


def test_the_table_names_nothing_else():
    assert set(TABLE) <= {route.name for route in ALL_ROUTES}


# Pages and files of a patient that are not written down when they are looked at, and why.
NO_LOOK = {
    "photo-thumbnail": "small, many in a list", "api-photo-thumbnail": "small, many in a list",
    "photo-card": "a line of the list of what was just sent", "patient-merge-codes": "codes to choose from",
    "photo-filing-codes": "codes to choose from", "photo-filing-patient": "codes to choose from",
    "lesion-people": "names of colleagues", "bulk": "a list", "work": "how far work is",
    "diagnosis-withdraw": "only changes", "analysis-impression": "only changes",
    "analysis-explanations": "only changes",
    "dataset": "a list", "dataset-photos": "a list", "dataset-differences": "a list",
}  # fmt: skip
# As what the looks at some pages are written down.
LOOKS = {
    "bin-item": "bin.view", "api-note-detail": "note.view", "api-symptoms-detail": "symptoms.view",
    "api-comment-detail": "comment.view", "api-biopsy-detail": "plan.view", "archive-entry": "entry.view",
    "letter": "letter.print", "analysis-similar": "photo.similar",
}  # fmt: skip
OF_A_PATIENT = {
    "patient", "lesion", "photo", "analysis", "explanation", "assessment", "pathology", "note", "symptoms", "letter",
    "entry", "bin_item", "follow_up", "biopsy", "comment", "item", "second_opinion",
}  # fmt: skip


def test_the_clinics_own_admin_finds_the_rows_and_whoever_looks_at_a_patient_is_written_down(
    world, client_for, admin_user
):
    """Otherwise the tests below would pass for addresses that lead nowhere."""
    client, lost, untold, told, looks = client_for(admin_user), [], [], 0, {}
    for route in ROWS:
        before = AuditEvent.objects.count()
        status = client.get(address_of(route, world)).status_code
        if status == 404:
            lost.append(str(route))
        of_a_patient = OF_A_PATIENT & set(route.access.args.values())
        if status != 200 or not of_a_patient or route.name in NO_LOOK:
            continue
        row, told = AuditEvent.objects.first(), told + 1
        looks[route.name] = row.action
        if AuditEvent.objects.count() != before + 1 or row.user_key != admin_user.pk:
            untold.append(str(route))
        elif row.patient_key not in (world.patient.pk, world.bin_item.key):
            untold.append(f"{route}: of no patient")
    assert not lost
    assert not untold, "\n".join(untold)
    assert told > 30
    assert LOOKS.items() <= looks.items(), looks
    assert audited("patient.make", "photo.make", "member.make", "import.fetch", "audit.view")


# Documents of one patient's care, and what a reader gets by a link: for these nobody is asked again.
NOT_ASKED_AGAIN = {
    "api-fhir-everything", "api-fhir-report-file", "lesion-fhir",
    "analysis-report", "analysis-panels", "api-analysis-report", "api-analysis-panels", "letter", "lesion-report",
    "patient-report", "reading-result", "photo-dicom", "analysis-dicom",
}  # fmt: skip
# Files that there are without a query and without results of studies or evaluations.
ASKED_AGAIN = {
    "api-patient-list", "api-study-protocol", "audit-csv", "dataset-compare", "dataset-differences", "import-errors",
    "import-changes",
    "study-protocol", "study-protocol-pdf", "study-checklist", "study-paper-pdf", "study-paper-sheet", "study-votes",
}  # fmt: skip
QUERIES = {"dataset-compare": "as=csv", "dataset-differences": "as=csv"}


def test_nothing_breaks_while_the_files_of_photos_are_lost(world, client_for, admin_user):
    for photo in Photo.objects.all():
        store.delete(photo.file_key)
        store.delete(photo.thumbnail_key)
    client, broken = client_for(admin_user), []
    client.raise_request_exception = False
    for route in ROWS:
        answer = client.get(address_of(route, world))
        try:
            content_of(answer)
        except Exception as error:
            broken.append(f"{route}: {error!r}")
        if answer.status_code >= 500:
            broken.append(f"{route}: {answer.status_code}")
    assert not broken, "\n".join(broken)


@pytest.mark.alike
def test_no_file_leaves_on_a_password_of_long_ago(world, client_for, admin_user, monkeypatch):
    """Every address, by every way that takes data out: asked before the last minutes it gives the file, later it asks
    for the password, and the audit has only what left."""
    client, asked, problems = client_for(admin_user), set(), []
    for route in ROUTES:
        if route.access.kind not in ("row", "listing"):
            continue
        address = f"{address_of(route, world)}?{QUERIES.get(route.name, '')}"
        response = client.get(address)
        look = look_of(route.name)
        is_fetched = route.is_api and look is not None and not look.is_view
        is_file = response.get("Content-Disposition", "").startswith("attachment") and not route.is_api
        if response.status_code != 200 or not (is_file or is_fetched):
            continue
        before = AuditEvent.objects.count()
        with monkeypatch.context() as patch:
            patch.setattr(step_up, "is_fresh", lambda request: False)
            status = client.get(address).status_code
        if route.name in NOT_ASKED_AGAIN:
            assert look.of_care and status == 200, route
            continue
        asked.add(route.name)
        if status != 403 or AuditEvent.objects.count() != before:
            problems.append(f"{route}: {status}")
    assert not problems, "\n".join(problems)
    assert asked >= ASKED_AGAIN


@pytest.mark.alike
def test_outsiders_get_nothing(world, client_for, outsider):
    before, problems = snapshot(world), []
    for route, responses in walk(world, lambda: client_for(outsider)):
        statuses = statuses_of(responses)
        wrong = [leak for response in responses.values() for leak in leaks(response, world)]
        if max(statuses.values()) >= 500:
            wrong.append("breaks")
        if route.access.kind == "row" and not ({404} <= set(statuses.values()) <= {404, 405}):
            wrong.append("answers")
        if may_have_changed(statuses) and snapshot(world) != before:
            wrong.append("changes something")
            before = snapshot(world)
        problems += [f"{route}: {what} {statuses}" for what in wrong]
    assert not problems, "\n".join(problems)
    assert snapshot(world) == before


def test_signed_out_people_get_nothing(world):
    before, problems = snapshot(world), []
    for route, responses in walk(world, Client):
        for method, response in responses.items():
            wrong = leaks(response, world)
            if route.access.kind == "public":
                is_right = response.status_code < 500
            elif route.is_api:
                is_right = response.status_code == 401
            elif response.status_code == 405 and method in ("put", "patch", "delete"):
                # Nothing looks at who asks where a page is asked in a way that no page has.
                is_right = True
            else:
                is_right = response.status_code == 302 and response.url.startswith("/login/?next=")
            if not is_right:
                wrong.append(f"answers {response.status_code}")
            problems += [f"{route} {method}: {what}" for what in wrong]
    assert not problems, "\n".join(problems)
    assert snapshot(world) == before


@pytest.mark.alike
def test_every_page_has_a_question_mark_that_leads_to_its_help(world, client_for, admin_user):
    """But the documentation of the API, and the page that is shown where no other can be fetched."""
    client, seen, missing = client_for(admin_user), 0, []
    for route in (one for one in ROUTES if not one.is_api and one.name not in ("api-docs", "offline")):
        answer = client.get(address_of(route, world))
        if route.name == "logout" or "text/html" not in answer.get("Content-Type", "") or answer.streaming:
            continue
        text = answer.content.decode()
        if "<html" in text and answer.status_code == 200:
            seen += 1
            if f'data-help="{page_for(route.name)}"' not in text or not page_for(route.name):
                missing.append(str(route))
    assert not missing, "\n".join(missing)
    assert seen > 75


def rows_of(world) -> dict:
    return {name: rows for name, rows in snapshot(world).items() if name != "files"}


def test_every_change_leaves_a_row_in_the_audit(world, client_for, admin_user):
    """Asked by the clinic's own admin, so that much succeeds; what nobody wrote more closely is told all the same."""
    client, before, untold, told = client_for(admin_user), rows_of(world), [], set()
    for route in ROUTES:
        if route.name in OWN_HISTORY or route.access.kind == "public":
            continue
        address = address_of(route, world)
        offered = getattr(resolve(address).func, "actions", ["post"])
        for method in {"post", "patch", "delete"} & set(offered):
            with undone():
                count = AuditEvent.objects.count()
                with CaptureQueriesContext(connection) as asked:
                    status = ask(client, method, route, address, world).status_code
                # What wrote nothing has changed nothing.
                wrote = any(re.match("INSERT|UPDATE|DELETE", one["sql"]) for one in asked.captured_queries)
                if status < 400 and AuditEvent.objects.count() > count:
                    told.add(route.name)
                elif status < 400 and wrote and rows_of(world) != before:
                    untold.append(f"{method} {route}")
        if route.access.kind == "personal":
            client = client_for(admin_user)
    assert not untold, "\n".join(untold)
    assert len(told) > 65, sorted(told)


def ways_of(address: str) -> list[str]:
    """The methods of an address of the API, as far as it tells them."""
    actions = getattr(resolve(address).func, "actions", None) or ALL_METHODS
    return [method for method in ALL_METHODS if method in actions]


def error_of(answer) -> str:
    """The code of an error, also in FHIR's own shape."""
    told = answer.json()
    return told["error"]["code"] if "error" in told else told["issue"][0]["details"]["coding"][0]["code"]


# What is asked does not go into an address; whoever may look may ask.
ASKED_BY_POST = {"api-fhir-match"}


def test_a_token_is_held_to_its_scope_and_its_clinic(world, admin_user, other_clinic):
    """At whatever address of the API: one that may only read changes nothing, whoever has it; one of a clinic finds
    nothing of another, though its owner is an admin there too."""
    Member.objects.create(clinic=other_clinic, user=admin_user, role="admin")
    of_other = {"clinic": other_clinic}
    reading, elsewhere = (Client(headers={"Authorization": f"Token {factories.make_token(admin_user, **what)}"})
                          for what in ({"scope": "read"}, of_other))  # fmt: skip
    assert reading.get("/api/patients/").json()["results"]
    before, problems = snapshot(world), []
    of_no_clinic = ("api-token", "api-schema")
    for route in (route for route in ROUTES if route.is_api and route.name not in of_no_clinic):
        address = address_of(route, world)
        for method in CHANGING:
            if method == "post" and route.name in ASKED_BY_POST:
                continue
            answer = getattr(reading, method)(address)
            if answer.status_code != 403 or error_of(answer) != "token_read_only":
                problems.append(f"reading {method} {route}: {answer.status_code}")
        # With all that names rows of the other clinic, an outsider is asked above.
        ways = ways_of(address) if route.access.kind == "row" else ["get"]
        responses = {way: getattr(elsewhere, way)(address) for way in ways}
        statuses = statuses_of(responses)
        wrong = [leak for response in responses.values() for leak in leaks(response, world)]
        if route.access.kind == "row" and not ({404} <= set(statuses.values()) <= {404, 405}):
            wrong.append(f"answers {statuses}")
        problems += [f"elsewhere {route}: {what}" for what in wrong]
    assert not problems, "\n".join(problems)
    assert snapshot(world) == before


def test_no_body_breaks_an_address_of_the_api(world, client_for, admin_user):
    """Nor one that is no object, or has a list in the place of every text; the rest is tests/skinclinic/api."""
    client, problems = client_for(admin_user), []
    client.raise_request_exception = False
    names = [*body_for(world), "areas", "words", "text", "note", "per", "assignee"]
    bodies = ['["x", "y", "size"]', json.dumps({name: [{}] for name in names})]
    for route in (route for route in ROUTES if route.is_api):
        address = address_of(route, world)
        for method in set(ways_of(address)) - {"get"}:
            for body in bodies:
                status = getattr(client, method)(address, body, content_type="application/json").status_code
                if status >= 500:
                    problems.append(f"{method} {address} {body[:60]}: {status}")
    assert not problems, "\n".join(problems)


def test_naming_a_strangers_row_is_as_naming_none(world, client_for, outsider):
    """In every filter of every list, and in every body: status and words are the same, whatever other clinics have."""
    client, problems, asked = client_for(outsider), [], 0
    names = {
        "patient": world.patient, "lesion": world.lesion, "photo": world.photo, "analysis": world.analysis,
        "model_version": world.own_model, "threshold_set": world.own_model.threshold_sets.first(),
        "replaces": world.pathology, "study": world.study, "reading": world.reading,
    }  # fmt: skip
    said = {"kind": "pathology", "disease": "bcc", "confirmed_by": "histopathology", "text": "x", "name": "x"}
    for route in (route for route in ROUTES if route.is_api and route.access.kind == "listing"):
        address = address_of(route, world)
        view = getattr(resolve(address).func, "cls", None)
        if not issubclass(view, GenericViewSet):
            continue
        filters = OwnRowsFilterBackend().get_filterset_class(view, view.queryset)
        ways = [(client.get, name) for name in (filters.base_filters if filters else ())]
        ways += [(client.post, name) for name in view.serializer_class().fields]
        for way, name in ways:
            if row := names.get(name.split("__")[-1]):
                asked, told = asked + 1, set()
                for key in (row.pk, 987_654_321):
                    if way == client.get:
                        answer = client.get(address, {name: key})
                    else:
                        answer = client.post(address, said | {name: key}, content_type="application/json")
                    told.add((answer.status_code, re.sub(rf"\b{key}\b", "N", answer.content.decode())))
                if len(told) > 1:
                    problems.append(f"{way.__name__} {address} {name}: {told}")
    assert asked > 25
    assert not problems, "\n".join(problems)


def besides_studies(rows: dict) -> dict:
    return {name: found for name, found in rows.items() if name not in OF_STUDIES}


def test_a_list_says_what_it_does_not_know_and_knows_what_it_says(world, client_for, admin_user):
    """A parameter that is mistyped is no filter, and the list would be of everything."""
    client, lists, problems = client_for(admin_user), 0, []
    for route in (route for route in ROUTES if route.is_api and route.access.kind == "listing"):
        address = address_of(route, world)
        if not (known := parameters_of(route, address)):
            continue
        lists += 1
        answer = client.get(address, {"patinet": world.patient.pk, "page_size": 2, "format": "json"})
        told = answer.json().get("error", {}).get("fields", {})
        if answer.status_code != 400 or set(told) != {"patinet"}:
            problems.append(f"{address}: {answer.status_code} {told}")
        named = set(told.get("patinet", [""])[0].partition("It has: ")[2].rstrip(".").split(", "))
        if named != known:
            problems.append(f"{address}: {named ^ known}")
        empty = client.get(address, dict.fromkeys(named - {"cursor", "page_size"}, ""))
        if empty.status_code != 200:
            problems.append(f"{address}: {empty.content}")
        if client.get(address, {"page_size": 1}).status_code != 200:
            problems.append(address)
    assert not problems, "\n".join(problems)
    assert lists > 20


@pytest.mark.alike
def test_coordinators_change_studies_and_nothing_else(world, client_for, coordinator):
    before, problems = snapshot(world), []
    for route, responses in walk(world, lambda: client_for(coordinator), CHANGING):
        statuses = statuses_of(responses)
        wrong = []
        if route.access.need == "study":
            now = snapshot(world)
            if besides_studies(now) != besides_studies(before):
                wrong.append("changes more than studies")
            if max(statuses.values()) >= 500:
                wrong.append("breaks")
            before = now
        elif route.access.kind in ("row", "listing") and not set(statuses.values()) <= (
            {400, 405} if route.name in ASKED_BY_POST else {403, 405}
        ):
            wrong.append("answers")
        if route.access.kind == "personal":
            before = snapshot(world)
        elif may_have_changed(statuses) and snapshot(world) != before:
            wrong.append("changes something")
            before = snapshot(world)
        problems += [f"{route}: {what} {statuses}" for what in wrong]
    assert not problems, "\n".join(problems)
    assert snapshot(world) == before


def test_only_those_who_run_studies_change_them(world, client_for, clinician, curator):
    """Members look at studies; what is still blind they do not even see."""
    before, problems = snapshot(world), []
    for user in (clinician, curator):
        client = client_for(user)
        for route in (route for route in ROUTES if route.access.need == "study"):
            address = address_of(route, world)
            statuses = {way: ask(client, way, route, address, world).status_code for way in CHANGING}
            if not set(statuses.values()) <= {403, 405}:
                problems.append(f"{user} {route}: answers {statuses}")
            blind = ("sample", "settings", "readers", "progress", "paper", "log", "protocol")
            seen = client.get(address)
            if any(word in route.name for word in blind) and seen.status_code not in (403, 405):
                problems.append(f"{user} {route}: shows {seen.status_code}")
    assert not problems, "\n".join(problems)
    assert snapshot(world) == before


BAD_VALUES = ["0", "9" * 30, "-1", "abc", "1.5", "%00", "%E2%80%AE", "x" * 300, "1;DROP", "..%2F.."]


def leads_somewhere(address: str) -> bool:
    try:
        return bool(resolve(unquote(address)))
    except Resolver404:
        return False


@pytest.mark.alike
def test_ids_of_nothing_are_not_found(world, client_for, admin_user):
    client, problems, of_no_route = client_for(admin_user), [], set()
    for route in (route for route in ROUTES if route.access.args):
        for value in BAD_VALUES:
            address = route.address(dict.fromkeys(route.access.args, value))
            if not leads_somewhere(address):
                # Nobody is asked then, whatever the value was to be: once for pages and once for the API.
                if (value, route.is_api) in of_no_route:
                    continue
                of_no_route.add((value, route.is_api))
            for method in ("get", "post"):
                status = ask(client, method, route, address, world).status_code
                if status not in (404, 405):
                    problems.append(f"{method} {address}: {status}")
    assert not problems, "\n".join(problems)


# What goes when the photo goes; with its lesion, and with its patient, goes more.
OF_PHOTO = {"photo", "analysis", "explanation", "assessment", "entry", "change", "pair"}
OF_LESION = OF_PHOTO | {"lesion", "follow_up", "biopsy", "pathology"}
# They hold what is told of the patient.
LISTS = (
    "/?show=all", "/?show=all&q=secretp", "/patients/", "/patients/?q=SECRETP", "/archive/", "/upload/",
    "/api/patients/", "/api/lesions/", "/api/photos/", "/api/diagnoses/", "/api/analyses/", "/api/follow-ups/",
    "/api/biopsies/", "/api/assessments/",
)  # fmt: skip
OF_PATIENT_ONLY = (
    "SECRETP-7781",
    "secret-photo-4471.jpg",
    "SECRETNOTE-313",
    "SECRETPLAN-41",
    "SECRETTEXT-919",
)


def test_what_lies_in_the_bin_is_at_no_address_and_comes_back_as_it_was(
    world, client_for, admin_user, subtests
):
    """Before, the clinic's own admin finds it all: see above."""
    client = client_for(admin_user)
    client.raise_request_exception = False
    # The draft of the dataset, and how it is split, is not taken back.
    not_back = {"DatasetItem", "DatasetVersion", "BinItem", "BinnedRow", "AuditEvent", "AuditHead"}
    ours = [model for model in apps.get_models() if model._meta.app_label in (*OURS, "archive")]

    def rows() -> dict:
        kept = [model for model in ours if model.__name__ not in not_back]
        return {model: list(model._base_manager.order_by("pk").values()) for model in kept}

    stood = rows()
    for name in ("/?show=all", "/patients/", "/api/patients/"):
        assert "SECRETP-7781" in content_of(client.get(name))
    for what, gone in {
        "photo": OF_PHOTO, "lesion": OF_LESION, "patient": OF_LESION | {"patient"},
    }.items():  # fmt: skip
        item = bin.put(getattr(world, what), admin_user, reason="mistake")
        for route in ROWS:
            if set(route.access.args.values()) & gone:
                with subtests.test(binned=what, route=str(route)):
                    assert client.get(address_of(route, world)).status_code in (404, 405)
        for name in LISTS if what == "patient" else ():
            with subtests.test(binned=what, list=name):
                shown = content_of(client.get(name))
                assert not [marker for marker in OF_PATIENT_ONLY if marker in shown]
        restoring.restore(item, admin_user)
        with subtests.test(restored=what):
            assert rows() == stood
    assert client.get(f"/photos/{world.photo.pk}/image").status_code == 200
    assert client.get(f"/lesions/{world.lesion.pk}/").status_code == 200


# Takes files and no JSON at all.
OF_FILES = {"api-try"}


def test_a_field_that_is_none_is_refused_by_every_address_of_the_api(world, client_for, admin_user):
    client, problems, asked = client_for(admin_user), [], 0
    for route in (route for route in ROUTES if route.is_api and route.name not in OF_FILES):
        address = address_of(route, world)
        for method in set(ways_of(address)) - {"get"}:
            with undone():
                answer = getattr(client, method)(address, {"no_such": 1}, content_type="application/json")
            if answer.status_code == 405 or (answer.status_code == 404 and route.access.kind == "public"):
                continue
            asked += 1
            # FHIR says what is wrong in a form of its own.
            is_named = "OperationOutcome" if "/fhir/" in address else '"no_such"'
            if answer.status_code != 400 or is_named not in answer.content.decode():
                problems.append(f"{method} {address}: {answer.status_code} {answer.content[:200]!r}")
    assert not problems, "\n".join(problems)
    assert asked > 40
