"""That a reader took part, as a page and as a PDF; it says nothing of how well."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from classifier.services.evaluation.figure_files import FONT_FILE
from reader_study import document
from reader_study.document import Document, Section
from reader_study.models import Reader, Study, StudyImage
from skinclinic.services import language_marks
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


@dataclass(frozen=True)
class Certificate:
    """``photos``: those of one session, the same in each."""

    reader: Reader
    photos: int
    sessions: int
    began: datetime | None
    ended: datetime

    @property
    def study(self) -> Study:
        return self.reader.study

    @property
    def days(self) -> str:
        found = [f"{timezone.localtime(at):%Y-%m-%d}" for at in (self.began, self.ended) if at]
        return " – ".join(dict.fromkeys(found))

    @property
    def said(self) -> str:
        """What was done, after the name."""
        text = ngettext(
            "took part as a reader in the study “%(study)s” and read %(n)d photo.",
            "took part as a reader in the study “%(study)s” and read %(n)d photos.",
            self.photos,
        ) % {"study": self.study.name, "n": self.photos}
        if self.sessions < 2:
            return text
        more = ngettext(
            "They were read in %(n)d session.", "They were read in %(n)d sessions.", self.sessions
        )
        return f"{text} {more % {'n': self.sessions}}"


def of(reader: Reader) -> Certificate | None:
    """Only of a reader who has finished everything, and not of a preview."""
    readings = list(reader.readings.all())
    ended = [reading.finished_at for reading in readings if reading.finished_at]
    if reader.is_preview or reader.withdrawn_at or not readings or len(ended) < len(readings):
        return None
    photos = len(readings[0].order)
    if reader.study.is_closed:
        # Before, nobody is told that some came twice.
        twice = StudyImage.with_repeats.filter(study=reader.study, number__in=readings[0].order)
        photos -= twice.exclude(repeat_of=None).count()
    began = min((one.started_at for one in readings if one.started_at), default=None)
    return Certificate(reader, photos, len(readings), began, max(ended))


def pdf(found: Certificate) -> bytes:
    """In the current language."""
    study = found.study
    facts = (
        (_("Clinic"), study.clinic.name),
        (_("Centre"), found.reader.centre),
        (_("Read"), found.days),
        (_("Registration number"), study.registration),
        (_("Ethics approval"), study.ethics),
        (_("Contact"), study.contact),
    )
    notes = [_("It says that the person took part, not how well.")]
    if study.is_synthetic:
        notes.append(_("The study is synthetic."))
    return document.to_pdf(
        Document(
            title=_("Certificate of participation"),
            subtitle=study.clinic.name,
            sections=[Section(str(found.reader), [row for row in facts if row[1]], text=found.said)],
            footer=language_marks.marked(" ".join(notes)),
            page_word=_("Page"),
        ),
        FONT_FILE,
    )
