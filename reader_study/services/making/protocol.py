"""What opening fixed: one document, its canonical form and its hash, and whether the rows still say the same."""

import hashlib
import json
from dataclasses import dataclass

from reader_study.models import Study, StudyEvent
from reader_study.services.making import designs
from reader_study.services.making.studies import AMENDABLE, plain
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
        "sessions": list(
            study.sessions.order_by("number").values("number", "key", "is_aided", "washout_days")
        ),
        "groups": list(study.groups.order_by("place", "pk").values("key", "name")),
        "model": {"name": model.name, "weights_sha256": model.weights_sha256} if model else None,
        "recipe": study.recipe,
        "images": [
            {
                "number": image.number,
                "dataset": image.dataset,
                "truth": image.truth,
                "content_sha256": image.content_sha256,
                "practice": image.is_practice,
            }
            for image in images
        ],
        "scores_sha256": _hash([_rounded(image.scores) for image in images]) if model else "",
        **designs.protocol_of(study),
        "amendable": {name: plain(getattr(study, name)) for name in AMENDABLE},
    }


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


def shown(study: Study, *, with_truth: bool) -> dict:
    """The stored protocol; or without what its photos show, which it then says. Only the whole one has the hash."""
    content = study.protocol or {}
    if with_truth:
        return content
    images = [{**image, "truth": None} for image in content.get("images", [])]
    kept = "truth of the photos, until the study is closed"
    if "design" in content:
        kept = (
            "truth of the photos, which come twice, and the seed of the allocation, until the study is closed"
        )
    return {**designs.kept_back(content), "images": images, "kept_back": kept}


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
    now = json.loads(canonical(of(study)))
    changed = tuple(
        sorted(name for name in expected.keys() | now.keys() if expected.get(name) != now.get(name))
    )
    if not designs.follows_the_list(study):
        changed = (*changed, "allocation")
    return Check(_hash(study.protocol) == study.protocol_sha256, changed)
