"""Opening a study: what still stands in the way, and fixing everything when nothing does."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from reader_study.models import Study, StudyEvent
from reader_study.models.asked import Management
from reader_study.services import log
from reader_study.services.locking import ChangedMeanwhile, lock_draft, look_draft
from reader_study.services.making import (
    design_points,
    designs,
    operating,
    orders,
    protocol,
    reference,
    sampling,
    texts,
)
from reader_study.services.results import model_answers
from reader_study.statistics import endpoints
from skinclinic.models import Member, User
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

SAMPLE, SETTINGS, READERS, MODEL = "sample", "settings", "readers", "model"
FEW_POSITIVES = 10


@dataclass(frozen=True)
class Point:
    """Something that keeps a study from opening, or (``is_advice``) that a coordinator should know before.

    ``where``: the part of the study that mends it.
    """

    code: str
    where: str
    text: str
    is_advice: bool = False


def points(study: Study) -> list[Point]:
    """Everything that stands in the way, then advice; looks at the file of each photo."""
    found = [*_about_files(study), *_about_rows(study), *_about_thresholds(study, operating.overlap(study))]
    return sorted(found, key=lambda point: point.is_advice)


def _about_rows(study: Study) -> list[Point]:
    """What the database alone tells: a few queries."""
    return [
        *_about_sample(study),
        *_about_settings(study),
        *_about_practice(study),
        *_about_operating_point(study),
        *_about_model(study),
        *_about_readers(study),
        *(Point(*point) for point in design_points.of(study)),
    ]


def next_step(study: Study) -> str:
    """What is to be done first so that a draft opens, as far as the database alone tells; "" once it is open."""
    if not study.is_draft:
        return ""
    missing = [point.text for point in _about_rows(study) if not point.is_advice]
    return missing[0] if missing else _("open the study, on its overview.")


def obstacles(study: Study) -> list[Point]:
    return [point for point in points(study) if not point.is_advice]


_DRAW_AGAIN = gettext_noop("Draw the sample again; such photos are passed over.")


def _about_files(study: Study):
    if n := sampling.missing_files(study):
        text = ngettext("The file of %d photo is gone.", "The files of %d photos are gone.", n) % n
        yield Point("file", SAMPLE, text + " " + _(_DRAW_AGAIN))


def _about_sample(study: Study):
    images = list(study.images.values_list("truth", "dataset", "is_practice"))
    counted = [(truth, dataset) for truth, dataset, is_practice in images if not is_practice]
    if not counted:
        yield Point("sample", SAMPLE, _("There is no sample yet. Draw one."))
        return
    problems = sampling.problems_of_photos(study)
    words = {
        "deleted": (
            _("%d photo was deleted from the archive."),
            _("%d photos were deleted from the archive."),
        ),
        "rejected": (
            _("%d photo was rejected in the archive."),
            _("%d photos were rejected in the archive."),
        ),
        "consent": (
            _("For %d photo the patient's consent is missing or withdrawn."),
            _("For %d photos the patient's consent is missing or withdrawn."),
        ),
        "covered": (
            _("%d photo was covered for good since it was drawn."),
            _("%d photos were covered for good since they were drawn."),
        ),
    }
    for reason, n in problems.items():
        text = words[reason][n != 1] % n
        yield Point(reason, SAMPLE, text + " " + _(_DRAW_AGAIN))
    if study.model_version_id != study.recipe.get("model", study.model_version_id):
        yield Point(
            "other_model", SAMPLE,
            _(
                "The sample was drawn before this model was chosen, so what it was trained on is not left out. "
                "Draw again by the same recipe."
            ),
        )  # fmt: skip
    if unfilled := study.recipe.get("unfilled"):
        n = sum(row["wanted"] - row["found"] for row in unfilled)
        text = ngettext(
            "%d photo that was asked for could not be found.", "%d photos that were asked for could not be found.", n
        ) % n  # fmt: skip
        yield Point("unfilled", SAMPLE, text, is_advice=True)
    yield from _about_reference(study)
    few = sorted(
        {key for key in study.endpoints if 0 < sum(truth == key for truth, _d in counted) < FEW_POSITIVES}
    )
    if few:
        yield Point(
            "few", SAMPLE,
            _("Fewer than %(n)d photos: %(names)s. Figures of these diseases will be wide.")
            % {"n": FEW_POSITIVES, "names": spoken.diseases(few)},
            is_advice=True,
        )  # fmt: skip


def _about_sessions(study: Study):
    """Endpoints that compare sessions need two of them, and what they ask about must be asked."""
    questions = endpoints.of_sessions(study.endpoints)
    if questions and study.sessions.count() < 2:
        yield Point(
            "endpoints", SETTINGS, _("An endpoint compares two sessions, and the study has one session only.")
        )
    if endpoints.MANAGEMENT in questions and not {Management.BIOPSY, Management.NO_BIOPSY} <= set(
        study.management_choices
    ):
        yield Point(
            "endpoints", SETTINGS,
            _("An endpoint is biopsy or not, and readers are not asked to choose between the two."),
        )  # fmt: skip


def _about_reference(study: Study):
    found = reference.still_open(study)
    if found.undecided:
        yield Point(
            "panel", SAMPLE,
            _("The panel has not decided on photo %(numbers)s: no diagnosis has more than half of the votes.")
            % {"numbers": _numbers(found.undecided)},
        )  # fmt: skip
    if found.differing:
        yield Point(
            "panel", SAMPLE,
            _("The panel names another disease than the sample on photo %(numbers)s. Take its diagnoses over.")
            % {"numbers": _numbers(found.differing)},
        )  # fmt: skip
    if found.against_proof:
        yield Point(
            "panel_proof", SAMPLE,
            _("The panel names another disease than histopathology on photo %(numbers)s; histopathology holds.")
            % {"numbers": _numbers(found.against_proof)},
            is_advice=True,
        )  # fmt: skip
    if n := reference.strength(study).single:
        text = ngettext(
            "The truth of %d photo rests on a single opinion. A panel would make it stronger.",
            "The truth of %d photos rests on a single opinion. A panel would make it stronger.",
            n,
        ) % n  # fmt: skip
        yield Point("single", SAMPLE, text, is_advice=True)


def _numbers(numbers) -> str:
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "")


def _about_texts(study: Study):
    if not study.question.strip():
        yield Point("question", SETTINGS, _("The question is empty."))
    if not study.instructions.strip():
        yield Point("instructions", SETTINGS, _("There are no instructions for the readers."))
    if study.time_limit and texts.is_own(study, texts.INSTRUCTIONS):
        yield Point(
            "time_limit", SETTINGS,
            _("The instructions say that readers may take their time, and each photo has a time limit. Change them."),
            is_advice=True,
        )  # fmt: skip


def _about_settings(study: Study):
    truths = set(study.images.values_list("truth", flat=True))
    yield from _about_texts(study)
    if len(study.choices) < 2:
        yield Point("choices", SETTINGS, _("Readers need at least two diagnoses to choose from."))
    if lacking := [key for key in BY_KEY if key in truths and key not in study.choices]:
        yield Point(
            "choices", SETTINGS,
            _("Photos of the sample show diseases that readers cannot choose: %(names)s.")
            % {"names": spoken.diseases(lacking)},
        )  # fmt: skip
    of_model = endpoints.of_model(study.endpoints)
    if study.model_version_id and of_model and study.margin is None:
        yield Point(
            "margin", SETTINGS,
            _("The comparison of the model with the readers is an endpoint: fix its non-inferiority margin now."),
        )  # fmt: skip
    yield from _about_sessions(study)
    if of_model and not study.model_version_id:
        yield Point(
            "endpoints", SETTINGS, _("The endpoints compare readers with a model, and no model is chosen.")
        )
    if truths and (lacking := [key for key in of_model if key in BY_KEY and key not in truths]):
        yield Point(
            "endpoints", SETTINGS,
            _("No photo of the sample shows these endpoints: %(names)s.") % {"names": spoken.diseases(lacking)},
        )  # fmt: skip
    if study.model_version_id is None and study.sessions.filter(is_aided=True).exists():
        yield Point("aided", SETTINGS, _("The aided session shows a model's answer, and no model is chosen."))
    if study.model_version_id and not study.endpoints:
        yield Point(
            "no_endpoint", SETTINGS, _("There is no primary endpoint; every comparison will be secondary."),
            is_advice=True,
        )  # fmt: skip


def _about_practice(study: Study):
    practice = study.images.filter(is_practice=True).count()
    if study.asks_consent and not study.consent_text.strip():
        yield Point("consent", SETTINGS, _("Readers are asked for consent, and its text is empty."))
    if study.practice_pass and study.practice_pass > practice:
        yield Point(
            "practice", SETTINGS,
            _("%(needed)d practice photos must be right, and the sample has %(n)d.")
            % {"needed": study.practice_pass, "n": practice},
        )  # fmt: skip
    elif study.practice_feedback and not practice:
        yield Point(
            "practice", SAMPLE,
            _("Readers are to be told what practice photos show, and the sample has none."), is_advice=True,
        )  # fmt: skip


def _about_model(study: Study):
    if study.model_version is None or not study.images.exists():
        return
    if unknown := study.recipe.get("unknown_training"):
        yield Point(
            "unknown_training", MODEL,
            _(
                "Nobody knows which photos “%(name)s” was trained on, so whether it has seen the sample cannot be "
                "checked."
            )
            % {"name": unknown},
            is_advice=True,
        )  # fmt: skip
    if n := model_answers.missing(study):
        text = ngettext(
            "The model has not looked at %d photo of the sample yet.",
            "The model has not looked at %d photos of the sample yet.",
            n,
        ) % n  # fmt: skip
        yield Point("model", MODEL, text)
    elif model_answers.is_busy(study):
        yield Point("model", MODEL, _("The model is still looking at the rest of the test set."))


def _about_operating_point(study: Study):
    try:
        operating.check(study)
    except Refused as refused:
        yield Point("thresholds", SETTINGS, str(refused))
    if said := operating.always_malignant(study):
        yield Point("thresholds", SETTINGS, said, is_advice=True)


def _about_thresholds(study: Study, overlap: operating.Overlap | None):
    """Where the thresholds come from; searching it takes long."""
    if text := operating.said_of(overlap):
        decides = study.operating_point == operating.THRESHOLDS
        if decides:
            text += " " + _(
                "The model cannot be compared at them: choose others, or the model's first choice."
            )
        yield Point("thresholds", SETTINGS, text, is_advice=not decides)


def _about_readers(study: Study):
    readers = list(study.readers.counted().values_list("group", flat=True))
    if not readers:
        yield Point("readers", READERS, _("No reader is invited yet."))
    elif n := readers.count(None):
        text = ngettext("%d reader has no group.", "%d readers have no group.", n) % n
        yield Point("group", READERS, text)
    emails = [text.casefold() for text in study.readers.counted().values_list("email", flat=True) if text]
    users = Member.objects.filter(clinic=study.clinic_id, is_active=True).values_list(
        "user__email", flat=True
    )
    if n := len(set(emails) & {text.casefold() for text in users}):
        text = ngettext(
            "%d reader is a member of this clinic and can look up in the archive what the photos show.",
            "%d readers are members of this clinic and can look up in the archive what the photos show.",
            n,
        ) % n  # fmt: skip
        yield Point("members", READERS, text, is_advice=True)
    if len(readers) == 1:
        yield Point(
            "one_reader",
            READERS,
            _("With one reader nothing can be said about readers in general."),
            is_advice=True,
        )


def open_study(study: Study, user: User | None) -> Study:
    """Fix everything and let readers read. Raises Refused with all that stands in the way."""
    seen = look_draft(study)
    sample = _sample_of(seen)
    overlap = operating.overlap(seen)
    looked = [*_about_files(seen), *_about_rows(seen), *_about_thresholds(seen, overlap)]
    found = [point.text for point in looked if not point.is_advice]
    if n := sampling.seen_by_model(seen):
        found.append(
            ngettext(
                "The model was trained on %d photo of the sample, or on its patient. Draw again.",
                "The model was trained on %d photos of the sample, or on their patients. Draw again.",
                n,
            )
            % n
        )
    if found:
        raise Refused("", " ".join(found))
    return _open(seen, sample, operating.copy(seen, overlap), user)


def _sample_of(study: Study) -> tuple:
    """The photos, the model and its thresholds, which the search for what these have seen hangs on."""
    images = study.images.order_by("pk").values_list("pk", "content_sha256")
    return study.model_version_id, study.threshold_set_id, list(images)


@transaction.atomic
def _open(study: Study, sample: tuple, thresholds: dict | None, user: User | None) -> Study:
    """Open a study whose sample was looked at. Raises Refused for what has come in the way since."""
    row = lock_draft(study)
    if _sample_of(row) != sample:
        raise ChangedMeanwhile
    if found := [point.text for point in _about_rows(row) if not point.is_advice]:
        raise Refused("", " ".join(found))
    row.readers.filter(is_preview=True).delete()
    reference.fix(row)
    designs.prepare(row)
    orders.complete(row)
    row.state, row.opened_at, row.opened_by = Study.State.OPEN, timezone.now(), user
    row.thresholds = thresholds
    filled = texts.fill(row)
    protocol.fix(row)
    fixed = ["state", "opened_at", "opened_by", "thresholds", "protocol", "protocol_sha256", *filled]
    row.save(update_fields=fixed)
    log.note(row, StudyEvent.Kind.OPENED, by=user, protocol_sha256=row.protocol_sha256)
    for place in row.allocations.select_related("reader").order_by("place"):
        log.note(row, StudyEvent.Kind.ALLOCATED, reader=place.reader, **log.allocation(place))
    return row
