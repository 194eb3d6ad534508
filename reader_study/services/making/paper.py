"""The printed study: its words in the current language, its photos in the order that was asked for."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO

from django.utils.translation import get_language

from classifier.services.evaluation.figure_files import FONT_FILE
from reader_study import asked, paper
from reader_study.models import Reading, Study, StudyImage
from reader_study.models.asked import Management, NoDiagnosis, Quality
from reader_study.services.making import texts
from skinclinic import imaging
from skinclinic.archive.services.curating import consent
from skinclinic.files import store
from skinclinic.models import Patient
from skinclinic.services import language_marks
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import ages, sites
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


def write(study: Study, out: BinaryIO, reading: Reading | None = None) -> None:
    """Write the PDF, in the fixed order or in a reading's own. Raises Refused for a photo whose file is gone or
    holds more than the picture."""
    images = _ordered(study, reading)
    if not images:
        raise Refused("sample", _("There is nothing to print yet: draw a sample first."))
    keys = {image.number: image.photo.file_key for image in images if image.photo}
    gone = store.missing(keys.values())
    if lost := [image.number for image in images if keys.get(image.number) in {None, *gone}]:
        numbers = ", ".join(map(str, sorted(lost)[:20]))
        raise Refused("sample", _("The files of these photos are gone: %(numbers)s.") % {"numbers": numbers})
    paper.write(_words(study, reading), list(_pages(study, images)), out, FONT_FILE)


def _ordered(study: Study, reading: Reading | None) -> list[StudyImage]:
    shown = study.images.all() if reading is None else StudyImage.with_repeats.filter(study=study)
    shown = shown.filter(taken_out_at=None)
    # Nobody is shown a photo on paper whose patient does not consent any more.
    unwilling = consent.photos_lacking([photo for photo in shown.values_list("photo", flat=True) if photo])
    if unwilling and study.is_draft:
        text = ngettext(
            "The patient of %(n)d photo does not consent any more. Draw the sample again.",
            "The patients of %(n)d photos do not consent any more. Draw the sample again.",
            len(unwilling),
        )
        raise Refused("sample", text % {"n": len(unwilling)})
    shown = shown.exclude(photo__in=unwilling)
    rows = {image.number: image for image in shown.select_related("photo").order_by("number")}
    practice = [number for number, image in rows.items() if image.is_practice]
    counted = [number for number, image in rows.items() if not image.is_practice]
    if reading is not None:
        practice, counted = reading.practice_order, reading.order
    return [rows[number] for number in [*practice, *counted] if number in rows]


def _pages(study: Study, images: Sequence[StudyImage]) -> Iterator[paper.Page]:
    for image in images:
        if image.photo is None:
            continue
        if beside := imaging.beside_picture(store.read(image.photo.file_key)):
            message = _(
                "The file of photo %(number)d holds more than the picture (%(what)s) and is not printed. Send that "
                "photo again."
            )
            raise Refused("sample", message % {"number": image.number, "what": beside})
        title = _("Practice photo %(n)d") if image.is_practice else _("Photo %(n)d")
        yield paper.Page(
            title=title % {"n": image.number}, read=partial(store.read, image.photo.file_key), width=image.photo.width,
            height=image.photo.height, facts=facts(study, image),
        )  # fmt: skip


def facts(study: Study, image: StudyImage) -> str:
    """What readers are told of the patient, in words; what is not known is left out."""
    found = []
    if "age" in study.shown_facts and (age := ages.name(*image.age_range)):
        found.append(_("Age: %(age)s") % {"age": age})
    if "sex" in study.shown_facts and image.sex:
        found.append(_("Sex: %(sex)s") % {"sex": dict(Patient.Sex.choices).get(image.sex, image.sex)})
    if "site" in study.shown_facts and image.site:
        found.append(_("Site: %(site)s") % {"site": sites.name(image.site)})
    return " · ".join(found)


def _words(study: Study, reading: Reading | None) -> paper.Paper:
    language = get_language() or "en"
    instructions = texts.in_language(study, texts.INSTRUCTIONS, language)
    blanks = [_("Second choice")] * study.asks_second + [_("Confidence, 0 to 100")] * study.asks_confidence
    how = [_("Tick one box for each photo, or write its number beside the number of the photo.")]
    for label, key, words in (
        (_("What you would do"), study.management_choices, dict(Management.choices)),
        (_("Quality of the photo"), asked.QUALITY * study.asks_quality, dict(Quality.choices)),
    ):
        if key:
            blanks.append(label)
            how.append(f"{label}: {', '.join(str(words[one]) for one in key)}.")
    instead = [str(NoDiagnosis.CANNOT_JUDGE.label)] * study.offers_cannot_judge
    mark = _("Synthetic photos, drawn by a program.") if study.is_synthetic else ""
    return paper.Paper(
        title=study.name,
        subtitle=" · ".join(filter(None, [reading.reader.code if reading else "", mark])),
        instructions=[part.strip() for part in instructions.split("\n\n") if part.strip()],
        how_to_answer=" ".join(how),
        question=texts.in_language(study, texts.QUESTION, language),
        choices=[*(BY_KEY[key].name(language) for key in study.choices), *instead],
        blanks=blanks,
        reader_label=_("Reader's code"),
        footer=language_marks.marked(study.name),
        page_word=_("Page"),
    )
