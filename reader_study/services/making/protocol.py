"""What opening fixed: one document, its canonical form and its hash, and whether the rows still say the same."""

import hashlib
import json
from dataclasses import dataclass

from reader_study.models import Study, StudyEvent
from reader_study.models.asked import ASKED_FIELDS
from reader_study.services.making import designs, for_readers, reference
from reader_study.services.making.studies import AMENDABLE, LATER_AMENDABLE, plain
from skinclinic.vocabulary.diseases import DISEASE_KEYS

FORMAT = 1
_FIELDS = (
    "name", "question", "choices", "asks_confidence", "asks_second", "may_go_back", "shown_facts", "premalignant_as",
    "margin", "endpoints", "analysis_plan",
)  # fmt: skip


def of(study: Study) -> dict:
    """The protocol that the rows of now make. JSON-safe."""
    images = list(study.images.order_by("number"))
    model = study.model_version
    return {
        "format": FORMAT,
        "study": study.pk,
        **{name: getattr(study, name) for name in _FIELDS},
        # What is asked besides; what is not asked has no line, so that protocols of before stay as they are.
        **{name: value for name in ASKED_FIELDS if (value := getattr(study, name))},
        "sessions": list(
            study.sessions.order_by("number").values("number", "key", "is_aided", "washout_days")
        ),
        "groups": list(study.groups.order_by("place", "pk").values("key", "name")),
        "model": {"name": model.name, "weights_sha256": model.weights_sha256} if model else None,
        **_where_told(study),
        "recipe": study.recipe,
        "images": [
            {
                "number": image.number,
                "dataset": image.dataset,
                "truth": image.truth,
                "content_sha256": image.content_sha256,
                "practice": image.is_practice,
                **({"reference": image.reference} if image.reference else {}),
            }
            for image in images
        ],
        "scores_sha256": _hash([_rounded(image.scores) for image in images]) if model else "",
        **designs.protocol_of(study),
        **for_readers.of(study),
        "amendable": _told({name: plain(getattr(study, name)) for name in AMENDABLE}),
    }


def _where_told(study: Study) -> dict:
    """What protocols did not always hold: left out where there is nothing, so that older ones stay what they are."""
    found: dict = {}
    if study.thresholds is not None:
        found["thresholds"] = study.thresholds
    if study.operating_point != Study.OperatingPoint.FIRST_CHOICE:
        found["operating_point"] = study.operating_point
    if study.read_as:
        found["read_as"] = study.read_as
    if votes := reference.votes_of(study):
        found["panel"] = [vote.as_json() for vote in votes]
    return found


def _told(amendable: dict) -> dict:
    """Without what came later than the format where there is nothing of it."""
    later = {*LATER_AMENDABLE, *for_readers.LATER}
    return {name: value for name, value in amendable.items() if value or name not in later}


def _rounded(scores: dict | None) -> list[str] | None:
    """As text of fixed length, so that no database's way with numbers changes the hash."""
    return None if scores is None else [f"{scores[key]:.6f}" for key in DISEASE_KEYS]


def canonical(content) -> bytes:
    """One way to write it: sorted keys, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _hash(content) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def fix(study: Study) -> None:
    """Keep the protocol of now; the caller saves the study."""
    study.protocol = of(study)
    study.protocol_sha256 = _hash(study.protocol)


def resealed(study: Study, without: dict) -> dict:
    """What the log keeps where photos were withdrawn from the protocol: its hash from now on, and whether it was whole
    until then. The hash that was published stays with the study."""
    return {"protocol_sha256": _hash(without), "was_whole": _hash(study.protocol) == _seal(study)}


def _seal(study: Study) -> str:
    """The hash the stored protocol must have: that of opening, or of the last time photos were withdrawn from it."""
    withdrawn = study.events.filter(kind=StudyEvent.Kind.TAKEN_OUT, details__has_key="protocol_sha256")
    last = withdrawn.order_by("-pk").first()
    if last is None:
        return study.protocol_sha256
    return last.details["protocol_sha256"] if last.details["was_whole"] else ""


def shown(study: Study, *, with_truth: bool) -> dict:
    """The stored protocol; or without what its photos show, which it then says. Only the whole one has the hash."""
    content = study.protocol or {}
    if with_truth:
        return content
    images = [{**image, "truth": None} for image in content.get("images", [])]
    found = {**designs.kept_back(content), "images": images}
    if "panel" in content:
        found["panel"] = [{**vote, "diagnosis": None} for vote in content["panel"]]
    kept = "truth of the photos, until the study is closed"
    if "design" in content:
        kept = (
            "truth of the photos, which come twice, and the seed of the allocation, until the study is closed"
        )
    return {**found, "kept_back": kept}


@dataclass(frozen=True)
class Check:
    """Whether the stored protocol has its hash, and which parts of the rows no longer agree with it."""

    is_whole: bool
    changed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.is_whole and not self.changed


def check(study: Study) -> Check | None:
    """Hold the rows against the protocol and the amendments made since; None before opening."""
    if study.protocol is None:
        return None
    expected = json.loads(canonical(study.protocol))
    for event in study.events.filter(kind=StudyEvent.Kind.AMENDED).order_by("pk"):
        for name, (_before, after) in event.details.items():
            if name in AMENDABLE:
                expected["amendable"][name] = after
    if "amendable" in expected:
        expected["amendable"] = _told(expected["amendable"])
    # Of a study that was opened before protocols held thresholds.
    if fixed := study.events.filter(kind=StudyEvent.Kind.THRESHOLDS).first():
        expected.setdefault("thresholds", fixed.details["thresholds"])
    now = json.loads(canonical(of(study)))
    changed = tuple(
        sorted(name for name in expected.keys() | now.keys() if expected.get(name) != now.get(name))
    )
    if not designs.follows_the_list(study):
        changed = (*changed, "allocation")
    return Check(_hash(study.protocol) == _seal(study), changed)
