"""A small client of the SkinClinic API, of Python's own library alone: copy this file. Python 3.11 or newer.

Written from the schema of the API by ``manage.py api_client``: whoever edits it by hand loses that.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen

Said = Mapping[str, Any]
UNSAID: Any = object()
ConfirmedByEnum = Literal[
    "histopathology",
    "confocal microscopy with consensus dermoscopy",
    "serial imaging showing no change",
    "single image expert consensus",
    "single contributor clinical assessment",
]
DiseaseEnum = Literal[
    "bcc",
    "scc",
    "iec",
    "ak",
    "sk",
    "mm",
    "nevus",
    "lentigo",
    "pg",
    "hemangioma",
    "df",
    "wart",
]
LesionStateEnum = Literal[
    "empty",
    "queued",
    "running",
    "done",
    "failed",
]
SiteEnum = Literal[
    "scalp",
    "forehead",
    "nose",
    "periorbital",
    "cheek",
    "ear",
    "lip",
    "chin",
    "neck",
    "chest",
    "abdomen",
    "back",
    "buttock",
    "genital",
    "shoulder",
    "upper_arm",
    "forearm",
    "hand",
    "palm",
    "finger",
    "thigh",
    "lower_leg",
    "foot",
    "sole",
    "toe",
    "other",
    "head_neck",
    "face",
    "trunk",
    "front_of_trunk",
    "side_of_trunk",
    "upper_limb",
    "lower_limb",
    "palm_or_sole",
    "oral_or_genital",
]
SkinTypeEnum = Literal[
    1,
    2,
    3,
    4,
    5,
    6,
]


class OwnClinic(TypedDict):
    """A clinic of the caller's, and the role there."""

    slug: str
    name: str
    role: str


class Me(TypedDict):
    """Who is calling."""

    username: str
    display_name: str
    clinics: list[OwnClinic]


class Disease(TypedDict):
    """``names``: by language. ``tier``: malignant, premalignant or benign."""

    key: str
    names: dict[str, str]
    tier: str
    icd10: str
    icd10_cm: str


class Site(TypedDict):
    """``name``: in the language that was asked for."""

    key: str
    name: str


class Box(TypedDict):
    """A square in pixels of the stored photo."""

    x: int
    y: int
    size: int


class AnalysisState(TypedDict):
    """The analysis of a photo's square, and how far it is."""

    id: int
    url: str
    state: Literal["queued", "running", "done", "failed"]


class PatientOfPhoto(TypedDict):
    """``is_new``: there was none of this code."""

    id: int
    code: str
    is_new: bool


class ArrivedPhoto(TypedDict):
    """``duplicate``: the clinic has had this file; then ``not_taken`` names what was said of it otherwise
    than it stands there. ``given_back``: its stored file had been lost and was stored again. ``patient``:
    whose it is, null where it is not filed.
    """

    id: int
    clinic: str
    lesion: int
    kind: Literal["close_up", "overview", "dermoscopic"]
    captured_at: str | None
    original_name: str
    sha256: str
    width: int
    height: int
    source_format: str
    notes: Any
    is_synthetic: bool
    box: Box
    picture: str
    picture_state: str
    image: str
    thumbnail: str
    created_at: str
    crop: str
    analysis: AnalysisState | None
    duplicate: bool
    given_back: bool
    not_taken: list[str]
    patient: PatientOfPhoto | None


class AnalysedPhoto(TypedDict):
    """``analysis``: of the square that is chosen now; null while the clinic has no model. ``crop``: that
    square.
    """

    id: int
    clinic: str
    lesion: int
    kind: Literal["close_up", "overview", "dermoscopic"]
    captured_at: str | None
    original_name: str
    sha256: str
    width: int
    height: int
    source_format: str
    notes: Any
    is_synthetic: bool
    box: Box
    picture: str
    picture_state: str
    image: str
    thumbnail: str
    created_at: str
    crop: str
    analysis: AnalysisState | None


class Familiarity(TypedDict):
    """``state``: ``like`` the photos the model was trained on, ``unlike`` them (its scores may mean little),
    or ``not_evaluable``. ``distance``: from them, in parts of the limit above which a photo is unlike them;
    one in twenty photos like them lies above it.
    """

    state: Literal["like", "unlike", "not_evaluable"]
    distance: float | None


class Listed(TypedDict):
    """A disease whose score is greater than its threshold."""

    disease: DiseaseEnum
    score: float
    threshold: float


class AnalysisFiles(TypedDict):
    """Addresses that the same token opens; ``heatmaps`` by disease. All but ``square`` are null until there
    is an answer that you may see.
    """

    square: str
    heatmaps: dict[str, str] | None
    panels: str | None
    report: str | None


class Analysis(TypedDict):
    """The answer (``scores``, ``background``, ``differential``, ``quality``, ``training_photos``) is null
    until it is there, and while the caller's own impression comes first (then ``impression_first`` is true).
    ``set_aside`` is ``overview``, ``dermoscopic`` or ``unfit`` where the answer does not count; the
    differential then lists nothing. ``before_cover``: part of the square was covered for good afterwards.
    ``runtime`` and ``precision`` (``f32``, ``bf16``, ``f16``) say what computed it, how finely; empty in
    answers from before that was kept. ``suggested_square``: which of the squares that the model suggested the
    person chose who asked for it; null for none.
    """

    id: int
    clinic: str
    photo: int
    state: Literal["queued", "running", "done", "failed"]
    error: dict[str, Any] | None
    model: str
    model_version: int
    trained_on: str
    demo_model: bool
    box: Box
    impression_first: bool
    set_aside: str
    training_photos: Familiarity | None
    before_cover: bool
    scores: dict[str, float] | None
    background: float | None
    differential: dict[str, list[Listed]] | None
    quality: dict[str, Any] | None
    suggested_square: int | None
    requested_at: str
    analysed_at: str | None
    runtime: str
    precision: str
    files: AnalysisFiles


class Ranked(TypedDict):
    """A diagnosis: one of the 12 by ``disease``, or another by ``icd10`` and ``text``."""

    disease: DiseaseEnum | Literal[""]
    icd10: str
    text: str
    confidence: Literal["low", "medium", "high"] | Literal[""]


class Differential(TypedDict):
    """``confidence`` in the first diagnosis; ``others``: ranks 2 to 5, likeliest first."""

    confidence: Literal["low", "medium", "high"] | Literal[""]
    others: list[Ranked]


class Assessment(TypedDict):
    """``agreement`` says how the diagnosis kept stands to what the model listed when it was decided, and
    ``impression_agreement`` how the first impression does, whatever the decision is called: ``first`` (the
    model lists it first), ``listed`` (not first), ``not_listed``, ``outside`` (none of the 12, while the
    model lists some), ``none_of_12`` (none of the 12, and the model lists none), ``unclear`` (its code or
    words may mean one of the 12), or empty: nothing to compare.
    """

    id: int
    clinic: str
    analysis: int
    user: str
    impression: int | None
    skipped_impression: bool
    shown_at: str | None
    threshold_set: int | None
    listed: Any
    impression_agreement: str
    decision: Literal["agree", "keep", "take", "change", "dismiss"] | Literal[""]
    decided_at: str | None
    conclusion: int | None
    agreement: str
    comment: str
    ranked: list[Ranked]
    earlier_decisions: Any


class Patient(TypedDict):
    """A code that looks like a person's name is refused (400, ``fields`` has ``code`` and
    ``code_is_no_name``) unless ``code_is_no_name`` says that it names nobody.
    """

    id: int
    clinic: str
    code: str
    birth_year: int | None
    sex: Literal["female", "male", "other"] | Literal[""]
    skin_type: SkinTypeEnum | Literal[None] | None
    ethnicity: str
    research_consent: Literal["given", "refused"] | Literal[""]
    consent_on: str | None
    skin_cancer_history: Literal["yes", "no", "unknown"] | Literal[""]
    other_cancer_history: Literal["yes", "no", "unknown"] | Literal[""]
    family_history: Literal["yes", "no", "unknown"] | Literal[""]
    immunosuppressed: Literal["yes", "no", "unknown"] | Literal[""]
    smoke: Literal["yes", "no", "unknown"] | Literal[""]
    drink: Literal["yes", "no", "unknown"] | Literal[""]
    pesticide: Literal["yes", "no", "unknown"] | Literal[""]
    has_piped_water: Literal["yes", "no", "unknown"] | Literal[""]
    has_sewage_system: Literal["yes", "no", "unknown"] | Literal[""]
    referrer: str
    created_at: str


class Lesion(TypedDict):
    """``top_disease``, ``top_score``, ``malignant_sum`` and ``training_photos`` are those of
    ``answer_photo``: of the close-ups of the last visit the one with the highest malignant sum. They are null
    while the own impression comes first, ``training_photos`` also where there is no answer. ``set_aside``
    says why photos that were analysed give no answer: overview, dermoscopic or unfit.
    """

    id: int
    clinic: str
    patient: int | None
    site: SiteEnum | Literal[""]
    site_x: float | None
    site_y: float | None
    note: str
    state: LesionStateEnum
    top_disease: str | None
    top_score: float | None
    malignant_sum: float | None
    training_photos: Familiarity | None
    answer_photo: int | None
    set_aside: Literal["overview", "dermoscopic", "unfit"] | Literal[""]
    is_proven: bool
    proven_disease: str
    to_decide: bool
    biopsy_on: str | None
    follow_up_on: str | None
    assignee: str | None
    cover: int | None
    photo_count: int
    created_at: str


class Diagnosis(TypedDict):
    """``disease`` is one of the 12 keys; for any other diagnosis give ``icd10`` and ``text``."""

    id: int
    clinic: str
    lesion: int
    kind: Literal["impression", "pathology"]
    disease: DiseaseEnum | Literal[""]
    icd10: str
    text: str
    confirmed_by: ConfirmedByEnum | Literal[""]
    diagnosed_on: str | None
    differential: Differential
    created_at: str
    created_by: int | None
    withdrawn_at: str | None


class ApiError(Exception):
    """What the server refused: ``status``, a stable ``code``, ``fields`` that are wrong, ``wait`` seconds."""

    def __init__(self, status: int, error: dict[str, Any], wait: int = 0):
        super().__init__(f"{status} {error.get('code')}: {error.get('message')}")
        self.status, self.code, self.wait = status, str(error.get("code", "")), wait
        self.fields: dict[str, list[str]] = error.get("fields", {})


@dataclass
class Asking:
    """``address`` of the server, such as https://skin.example.org. Raises ApiError, and OSError without an answer."""

    address: str
    token: str
    timeout: float = 60
    tries: int = 3
    _tags: dict[str, str] = field(default_factory=dict, repr=False)

    def fetch(self, address: str) -> bytes | None:
        """A file; None where it is the same that this client fetched before."""
        tag = self._tags.get(address)
        content, head = self._ask("GET", address, None, {"If-None-Match": tag} if tag else {})
        self._tags[address] = head.get("ETag", "")
        return content

    def _pages(self, address: str, filters: Said) -> Iterator[Any]:
        """All rows of a list, page by page."""
        following = f"{address}?{urlencode(_written(filters))}"
        while following:
            page = self._json("GET", following)
            yield from page["results"]
            following = page["next"]

    def _json(
        self,
        method: str,
        address: str,
        said: Said | None = None,
        *,
        photo: tuple[bytes, str] | None = None,
        head: dict[str, str] | None = None,
    ) -> Any:
        """``said``: what is UNSAID is not sent. ``photo``: its bytes and name, sent with it as a form."""
        body, head = None, dict(head or {})
        if photo is not None:
            boundary = uuid.uuid4().hex
            head["Content-Type"] = f"multipart/form-data; boundary={boundary}"
            body = _form(boundary, *photo, _written(said or {}))
        elif said is not None:
            head["Content-Type"] = "application/json"
            body = json.dumps({name: value for name, value in said.items() if value is not UNSAID}).encode()
        content, _head = self._ask(method, address, body, head)
        return json.loads(content or b"null")

    def _ask(
        self, method: str, address: str, body: bytes | None, head: dict[str, str]
    ) -> tuple[bytes | None, dict[str, str]]:
        url = urljoin(f"{self.address.rstrip('/')}/api/v1/", address)
        if not url.startswith(f"{self.address.rstrip('/')}/"):
            raise ValueError("The token is for this server alone.")
        request = Request(url, body, {"Authorization": f"Token {self.token}", **head}, method=method)
        # What is sent twice is stored twice, unless it has a key.
        again = method in ("GET", "HEAD") or "Idempotency-Key" in head
        for left in reversed(range(self.tries)):
            try:
                with urlopen(request, timeout=self.timeout) as answer:
                    return answer.read(), dict(answer.headers)
            except HTTPError as refused:
                if refused.code == 304:
                    return None, dict(refused.headers)
                error = _error(refused)
                if not left or not (error.wait and error.wait <= self.timeout):
                    raise error from None
                time.sleep(error.wait)
            except URLError:
                if not (left and again):
                    raise
                time.sleep(1)
        raise AssertionError("tries is at least 1")


def _key(given: str) -> dict[str, str]:
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def _wait(seconds: int) -> dict[str, str]:
    return {"Prefer": f"wait={seconds}"} if seconds else {}


def _error(refused: HTTPError) -> ApiError:
    try:
        said = json.loads(refused.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"code": "unknown", "message": refused.reason}
    return ApiError(refused.code, said, int(refused.headers.get("Retry-After", 0)))


def _written(said: Said) -> dict[str, str]:
    """As a form and an address have it: null is empty, true and false are in small letters."""
    texts = {name: "" if value is None else str(value) for name, value in said.items() if value is not UNSAID}
    return {name: text.lower() if isinstance(said[name], bool) else text for name, text in texts.items()}


def _form(boundary: str, photo: bytes, name: str, said: Mapping[str, str]) -> bytes:
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in said.items()
    ]
    safe = name.replace('"', "").replace("\r", "").replace("\n", "")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe}"\r\n'
    return b"".join([*lines, f"{head}\r\n".encode(), photo, f"\r\n--{boundary}--\r\n".encode()])


@dataclass
class Client(Asking):
    """The API. Rows are dictionaries; what you do not say is not sent."""

    def me(self) -> Me:
        """Who is calling, and in which clinics with which role."""
        answer: Me = self._json("GET", "me/")
        return answer

    def diseases(self) -> list[Disease]:
        """The 12 diseases in their fixed order."""
        answer: list[Disease] = self._json("GET", "diseases/")
        return answer

    def sites(self) -> list[Site]:
        """The anatomic sites of a lesion."""
        answer: list[Site] = self._json("GET", "sites/")
        return answer

    def send_photo(
        self,
        photo: bytes,
        name: str,
        *,
        lesion: int = UNSAID,
        patient_code: str = UNSAID,
        code_is_no_name: bool = UNSAID,
        site: SiteEnum = UNSAID,
        captured_at: str | None = UNSAID,
        kind: Literal["close_up", "overview", "dermoscopic"] = UNSAID,
        clinic: str = UNSAID,
        key: str = "",
        wait: int = 0,
    ) -> ArrivedPhoto:
        """Store a photo with all that is known of it, and ask for its analysis. 201 with `Location`; 200 with
        ``duplicate`` for a file the clinic has, and ``given_back`` where its stored file had been lost and
        was stored again. ``analysis`` says where the answer is and how far it is. Sent again with the same
        ``key`` where the network fails. ``wait``: seconds to wait at most for the answer, 10 or fewer.
        """
        said: dict[str, Any] = {
            "lesion": lesion,
            "patient_code": patient_code,
            "code_is_no_name": code_is_no_name,
            "site": site,
            "captured_at": captured_at,
            "kind": kind,
            "clinic": clinic,
        }
        answer: ArrivedPhoto = self._json(
            "POST",
            "photos/",
            said,
            photo=(photo, name),
            head=_key(key) | _wait(wait),
        )
        return answer

    def photo(self, id: int) -> AnalysedPhoto:
        """Photos: POST a file to store and analyse it; ``crop`` chooses another square."""
        answer: AnalysedPhoto = self._json("GET", f"photos/{id}/")
        return answer

    def photos(
        self,
        *,
        clinic: str = UNSAID,
        is_synthetic: bool = UNSAID,
        kind: Literal["close_up", "dermoscopic", "overview"] = UNSAID,
        lesion: int = UNSAID,
        lesion__patient: int = UNSAID,
        page_size: int = UNSAID,
        sha256: str = UNSAID,
    ) -> Iterator[AnalysedPhoto]:
        """Photos: POST a file to store and analyse it; ``crop`` chooses another square."""
        said: dict[str, Any] = {
            "clinic": clinic,
            "is_synthetic": is_synthetic,
            "kind": kind,
            "lesion": lesion,
            "lesion__patient": lesion__patient,
            "page_size": page_size,
            "sha256": sha256,
        }
        yield from self._pages("photos/", said)

    def choose_square(
        self,
        id: int,
        *,
        x: int = UNSAID,
        y: int = UNSAID,
        size: int = UNSAID,
        suggested: int = UNSAID,
        model: str = UNSAID,
    ) -> Analysis:
        """Choose the square that is analysed: its `x`, `y` and `size`, or the number (`suggested`) of one
        that `/suggested-squares/` tells, with its `model`: another may have come into use since, which
        suggests others. Earlier analyses stay.
        """
        said: dict[str, Any] = {"x": x, "y": y, "size": size, "suggested": suggested, "model": model}
        answer: Analysis = self._json("POST", f"photos/{id}/crop/", said)
        return answer

    def analysis(self, id: int, *, wait: int = 0) -> Analysis:
        """One analysis. ``wait``: seconds to wait at most for the answer, 10 or fewer."""
        answer: Analysis = self._json("GET", f"analyses/{id}/", head=_wait(wait))
        return answer

    def analyses(
        self,
        *,
        clinic: str = UNSAID,
        job__state: Literal["done", "failed", "queued", "running"] = UNSAID,
        model_version: int = UNSAID,
        page_size: int = UNSAID,
        photo: int = UNSAID,
        photo__lesion: int = UNSAID,
    ) -> Iterator[Analysis]:
        """Analyses, newest first."""
        said: dict[str, Any] = {
            "clinic": clinic,
            "job__state": job__state,
            "model_version": model_version,
            "page_size": page_size,
            "photo": photo,
            "photo__lesion": photo__lesion,
        }
        yield from self._pages("analyses/", said)

    def record_impression(
        self,
        id: int,
        *,
        disease: DiseaseEnum = UNSAID,
        icd10: str = UNSAID,
        text: str = UNSAID,
        differential: Differential = UNSAID,
        skip: bool = UNSAID,
    ) -> Assessment:
        """Record the own impression, or that it was skipped; it cannot be changed afterwards."""
        said: dict[str, Any] = {
            "disease": disease,
            "icd10": icd10,
            "text": text,
            "differential": differential,
            "skip": skip,
        }
        answer: Assessment = self._json("POST", f"analyses/{id}/impression/", said)
        return answer

    def patient(self, id: int) -> Patient:
        """Patients under pseudonymous codes, with their consent to the archive: ``research_consent`` is ""
        (not asked), "given" or "refused", ``consent_on`` its date (not given: the day it is recorded).
        """
        answer: Patient = self._json("GET", f"patients/{id}/")
        return answer

    def patients(
        self,
        *,
        birth_year: int = UNSAID,
        clinic: str = UNSAID,
        code: str = UNSAID,
        is_archived: bool = UNSAID,
        page_size: int = UNSAID,
        research_consent: Literal["", "given", "refused"] = UNSAID,
        sex: Literal["female", "male", "other"] = UNSAID,
        skin_type: SkinTypeEnum | None = UNSAID,
    ) -> Iterator[Patient]:
        """Patients under pseudonymous codes, with their consent to the archive: ``research_consent`` is ""
        (not asked), "given" or "refused", ``consent_on`` its date (not given: the day it is recorded).
        """
        said: dict[str, Any] = {
            "birth_year": birth_year,
            "clinic": clinic,
            "code": code,
            "is_archived": is_archived,
            "page_size": page_size,
            "research_consent": research_consent,
            "sex": sex,
            "skin_type": skin_type,
        }
        yield from self._pages("patients/", said)

    def lesion(self, id: int) -> Lesion:
        """Lesions with the most suspicious answer of their last visit."""
        answer: Lesion = self._json("GET", f"lesions/{id}/")
        return answer

    def lesions(
        self,
        *,
        clinic: str = UNSAID,
        created_after: str = UNSAID,
        created_before: str = UNSAID,
        is_archived: bool = UNSAID,
        is_proven: bool = UNSAID,
        page_size: int = UNSAID,
        patient: int = UNSAID,
        proven_disease: str = UNSAID,
        site: SiteEnum = UNSAID,
        state: LesionStateEnum = UNSAID,
        to_decide: bool = UNSAID,
        unfiled: bool = UNSAID,
    ) -> Iterator[Lesion]:
        """Lesions with the most suspicious answer of their last visit."""
        said: dict[str, Any] = {
            "clinic": clinic,
            "created_after": created_after,
            "created_before": created_before,
            "is_archived": is_archived,
            "is_proven": is_proven,
            "page_size": page_size,
            "patient": patient,
            "proven_disease": proven_disease,
            "site": site,
            "state": state,
            "to_decide": to_decide,
            "unfiled": unfiled,
        }
        yield from self._pages("lesions/", said)

    def record_diagnosis(
        self,
        *,
        lesion: int,
        kind: Literal["impression", "pathology"],
        disease: DiseaseEnum | Literal[""] = UNSAID,
        icd10: str = UNSAID,
        text: str = UNSAID,
        confirmed_by: ConfirmedByEnum | Literal[""] = UNSAID,
        diagnosed_on: str | None = UNSAID,
        differential: Differential = UNSAID,
        replaces: int | None = UNSAID,
    ) -> Diagnosis:
        """Record a diagnosis of a lesion; a new pathology withdraws the earlier one. With ``replaces``, the
        id of the pathology you have seen (null: none), only that one: where another stands, the answer is 409
        with both.
        """
        said: dict[str, Any] = {
            "lesion": lesion,
            "kind": kind,
            "disease": disease,
            "icd10": icd10,
            "text": text,
            "confirmed_by": confirmed_by,
            "diagnosed_on": diagnosed_on,
            "differential": differential,
            "replaces": replaces,
        }
        answer: Diagnosis = self._json("POST", "diagnoses/", said)
        return answer

    def diagnoses(
        self,
        *,
        clinic: str = UNSAID,
        disease: DiseaseEnum = UNSAID,
        kind: Literal["impression", "pathology"] = UNSAID,
        lesion: int = UNSAID,
        lesion__patient: int = UNSAID,
        page_size: int = UNSAID,
    ) -> Iterator[Diagnosis]:
        """Impressions and pathology. Rows are added and withdrawn, never changed. Where the own impression
        comes first, colleagues' impressions of a lesion are there once you have decided at it.
        """
        said: dict[str, Any] = {
            "clinic": clinic,
            "disease": disease,
            "kind": kind,
            "lesion": lesion,
            "lesion__patient": lesion__patient,
            "page_size": page_size,
        }
        yield from self._pages("diagnoses/", said)
