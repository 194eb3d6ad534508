"""Asking the clinic's model about the labels of its archive: where would it say something else?"""

from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from classifier.models import Analysis, LabelCheck, ModelVersion
from classifier.services.analysis import batch_analyses
from classifier.services.models import registry
from classifier.services.similar import contradicted
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import consent
from skinclinic.archive.services.searching import selection
from skinclinic.engine import jobs
from skinclinic.models import Clinic, User
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS

JOB = "check-labels"
State = LabelCheck.State
_BUSY = (State.WAITING, State.RUNNING)


@transaction.atomic
def ask(clinic: Clinic, user: User | None, chosen: selection.Selection) -> LabelCheck:
    """Have the clinic's published model look at the chosen photos. Raises Refused, query_text.QueryError.

    A check that is still at work is returned instead of a second one.
    """
    version = registry.published(clinic)
    if version is None:
        raise Refused("", _("There is no model yet. An admin adds and publishes one on the page Models."))
    lock(clinic)
    if busy := LabelCheck.objects.filter(clinic=clinic, state__in=_BUSY).first():
        return busy
    found = selection.entries(clinic, chosen)
    total = _allowed(found).count()
    if not total and found.exists():
        raise Refused("", _("No patient of these photos consents to their use."))
    if not total:
        raise Refused("", _("There is no photo in this selection."))
    row = LabelCheck.objects.create(
        clinic=clinic, model_version=version, selection=chosen.to_json(), total=total, asked_by=user
    )
    jobs.enqueue(JOB, str(row.pk), subject=row.pk, clinic=clinic)
    return row


def left_out(row: LabelCheck) -> int:
    """How many photos of its selection the model is not asked about, because the patient does not consent."""
    return selection.entries(row.clinic, selection.Selection.read(row.selection)).count() - row.total


def _allowed(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    return entries.exclude(pk__in=Entry.objects.filter(consent.missing()).values("pk"))


def last(clinic: Clinic) -> LabelCheck | None:
    """The newest check of the clinic."""
    return LabelCheck.objects.filter(clinic=clinic).select_related("model_version", "asked_by").first()


def run(row: LabelCheck, say: Callable[[float], None] = lambda share: None) -> None:
    """Look at the photos and note with each entry what the model says. Raises weights.ModelRejected."""
    entries = _allowed(selection.entries(row.clinic, selection.Selection.read(row.selection)))
    # The keys are fixed now: noting a disagreement must not change what a selection by it finds.
    keys = list(entries.order_by("-pk").values_list("pk", "photo"))
    total, disagreeing, unreadable = len(keys), 0, 0
    LabelCheck.objects.filter(pk=row.pk).update(total=total)
    for start in range(0, total, batch_analyses.CHUNK):
        part = keys[start : start + batch_analyses.CHUNK]
        photos = [photo for _entry, photo in part]

        def note(done: int, start=start) -> None:
            LabelCheck.objects.filter(pk=row.pk).update(done=start + done)
            say((start + done) / total)

        unreadable += len(batch_analyses.analyse(row.model_version, photos, say=note, with_features=True))
        disagreeing += _note_answers(row.model_version, part)
        LabelCheck.objects.filter(pk=row.pk).update(disagreeing=disagreeing, unreadable=unreadable)
    # Once all have been looked at: they are each other's neighbours.
    found, silent = contradicted.among(row.model_version, keys, say=lambda done: say(1.0))
    LabelCheck.objects.filter(pk=row.pk).update(contradicted={"rows": found, "silent": silent})


def _note_answers(version: ModelVersion, part: list[tuple[int, int]]) -> int:
    """Write the model's first choice and its disagreement to these entries; return how many disagree."""
    answers = {
        row.photo_id: row for row in batch_analyses.of_photos(version, [photo for _entry, photo in part])
    }
    labels = dict(Entry.objects.filter(pk__in=[pk for pk, _photo in part]).values_list("pk", "label"))
    count = 0
    with transaction.atomic():
        for pk, photo in part:
            answer, label = answers.get(photo), labels.get(pk)
            if answer is None or label is None:
                continue
            found = disagreement(answer, label)
            count += bool(found)
            # A label that was changed meanwhile is not the one the model was asked about.
            Entry.objects.filter(pk=pk, label=label).update(
                model_label=first_choice(answer), disagreement=found
            )
    return count


def first_choice(answer: Analysis) -> str:
    """The disease with the highest score; of equals the first in the fixed order."""
    return max(DISEASE_KEYS, key=lambda key: answer.scores[key])


def disagreement(answer: Analysis, label: str) -> float | None:
    """How much more the model gives to its first choice than to the label; 0 when they are the same.

    A background disease has the score of "not among these 12". A model that cannot say that has no opinion
    on such a label: None.
    """
    top = answer.scores[first_choice(answer)]
    if label in BY_KEY:
        return max(top - answer.scores[label], 0.0)
    if not answer.model_version.manifest.get("background_classes") or answer.background is None:
        return None
    return max(top - answer.background, 0.0)
