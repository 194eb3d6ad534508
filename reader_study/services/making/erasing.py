"""What studies hold of a patient who is erased.

Open ones show the photos no more, as when a consent is taken back. Of closed ones the answers and the truth stay, for
their results rest on them; whatever leads to the photo or tells of the patient goes.
"""

import csv
import io
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q, QuerySet

from reader_study.models import Answer, AnswerChange, Study, StudyEvent, StudyImage
from reader_study.services import log
from reader_study.services.making import protocol
from reader_study.services.making.withdrawal import of_images
from reader_study.services.results.results import FOLDER
from reader_study.services.results.study_tables import ANSWERS, IMAGES
from skinclinic.archive.services.datasets.erasing import ITEMS, items_of
from skinclinic.files import whole
from skinclinic.models import Erasure, User
from skinclinic.services.consent import Effect
from skinclinic.services.erasing import places
from skinclinic.services.erasing.taken import Taken
from skinclinic.services.erasing.trace import Trace
from skinclinic.web.counts import ngettext
from skinclinic.web.csv_table import table_csv

STUDY_IMAGES = "study_images"
_BLANK_IN_FILES = {IMAGES: ("sex", "age", "skin_type", "patient"), ANSWERS: ("comment",)}


def images_of(taken: Taken) -> QuerySet[StudyImage]:
    """The patient's photos in studies that were run here."""
    items = [*taken.trace.elsewhere.get(ITEMS, ()), *items_of(taken).values_list("pk", flat=True)]
    theirs = Q(photo__in=taken.photos) | Q(dataset_item__in=items) | Q(pk__in=taken.cut_off(StudyImage))
    return StudyImage.with_repeats.filter(theirs, study__clinic=taken.clinic_id).order_by()


@places.on_erase
def in_studies(taken: Taken, user: User | None, act: bool) -> Iterator[Effect]:
    images = images_of(taken)
    keys = list(images.values_list("pk", flat=True))
    taken.trace.elsewhere[STUDY_IMAGES] = sorted(map(list, images.values_list("study", "name")))
    yield from of_images(images.filter(taken_out_at=None), user, act)
    comments = Answer.objects.filter(image__in=keys).exclude(comment="").count()
    if comments:
        text = ngettext(
            "%(n)d remark of a reader on such a photo is removed.",
            "%(n)d remarks of readers on such photos are removed.",
            comments,
        )
        yield Effect("remarks", comments, text % {"n": comments})
    if act:
        _strip(keys)


def _strip(keys: list[int]) -> None:
    images = StudyImage.with_repeats.filter(pk__in=keys)
    taken_by = f"{StudyImage.WITHDRAWN}{min(keys, default=0)}"
    # Readings of the same person go on counting as such.
    images.update(
        photo=None, dataset_item=None, content_sha256="", sex="", age=None, age_to=None, skin_type=None, site="",
        patient=taken_by,
    )  # fmt: skip
    Answer.objects.filter(image__in=keys).update(comment="")
    AnswerChange.objects.filter(image__in=keys).update(comment="")


@places.afterwards
def of_protocols(erasure: Erasure, trace: Trace) -> None:
    """Hashes of photos in protocols, recipes and logs. The log says what a protocol's hash is without them."""
    for pk in Study.objects.filter(clinic=erasure.clinic_id).values_list("pk", flat=True):
        for event in StudyEvent.objects.filter(study=pk).exclude(details={}):
            details = trace.without_hashes(event.details)
            if details != event.details:
                StudyEvent.objects.filter(pk=event.pk).update(details=details)
        with transaction.atomic():
            study = Study.objects.select_for_update(of=("self",)).get(pk=pk)
            recipe, fixed = trace.without_hashes(study.recipe), trace.without_hashes(study.protocol)
            if recipe != study.recipe:
                recipe["taken_out"] = [sha256 for sha256 in recipe.get("taken_out", []) if sha256]
            if fixed == study.protocol:
                Study.objects.filter(pk=pk).update(recipe=recipe)
                continue
            if "recipe" in fixed:
                fixed["recipe"] = recipe
            numbers = _numbers(trace, pk)
            log.note(
                study,
                StudyEvent.Kind.TAKEN_OUT,
                photos=numbers,
                erased=True,
                **protocol.resealed(study, fixed),
            )
            Study.objects.filter(pk=pk).update(recipe=recipe, protocol=fixed)


@places.afterwards
def of_results(erasure: Erasure, trace: Trace) -> None:
    """What the tables of results say of the patient beside the truth."""
    names: dict[int, set[str]] = {}
    for study, name in trace.elsewhere.get(STUDY_IMAGES, ()):
        names.setdefault(study, set()).add(name)
    for study in Study.objects.filter(pk__in=names, clinic=erasure.clinic_id):
        for file, columns in _BLANK_IN_FILES.items():
            path = study.folder / FOLDER / file
            if path.is_file():
                before = path.read_bytes()
                after = _blanked(before, names[study.pk], columns)
                if after != before:
                    with whole.whole_file(path) as written:
                        written.write(after)


def _numbers(trace: Trace, study: int) -> list[int]:
    names = [name for pk, name in trace.elsewhere.get(STUDY_IMAGES, ()) if pk == study]
    return sorted(StudyImage.objects.filter(study=study, name__in=names).values_list("number", flat=True))


def _blanked(content: bytes, images: set[str], columns: tuple[str, ...]) -> bytes:
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    at = head.index("image")
    blank = [place for place, name in enumerate(head) if name in columns]
    changed = False
    for row in rows:
        for place in blank if row[at] in images else ():
            changed = changed or bool(row[place])
            row[place] = ""
    return table_csv(head, rows) if changed else content
