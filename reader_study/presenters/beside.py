"""What stands beside a reader's name for those who run the study: consent, practice, what the reader tells."""

from dataclasses import dataclass

from reader_study.about_reader import CHOICES
from reader_study.models import ReaderAbout, ReaderConsent, Study
from reader_study.services.making.progress import Line
from reader_study.services.reading import practice
from skinclinic.web.counts import ngettext


@dataclass(frozen=True)
class Beside:
    consent: ReaderConsent | None
    about: tuple[str, ...]
    tried: int
    has_passed: bool
    right: int


@dataclass(frozen=True)
class Row(Line):
    """A line of the table with what stands beside the name."""

    beside: Beside | None = None


def beside(study: Study) -> dict[int, Beside]:
    """By reader; of those of whom there is something to say, and of all where consent is asked."""
    consents = {
        row.reader_id: row for row in ReaderConsent.objects.filter(reader__study=study).order_by("pk")
    }
    abouts = {row.reader_id: _told(row) for row in ReaderAbout.objects.filter(reader__study=study)}
    tries = practice.tries_of(study)
    wanted = set(consents) | set(abouts) | set(tries)
    if study.asks_consent:
        wanted |= set(study.readers.values_list("pk", flat=True))
    return {pk: Beside(consents.get(pk), abouts.get(pk, ()), *tries.get(pk, (0, False, 0))) for pk in wanted}


def _told(row: ReaderAbout) -> tuple[str, ...]:
    said = [str(choices[getattr(row, name)]) for name, choices in CHOICES.items() if getattr(row, name)]
    if row.years is not None:
        said.insert(1, ngettext("%d year", "%d years", row.years) % row.years)
    return tuple(said)


def stuck(study: Study, lines: list[Line], found: dict[int, Beside]) -> set[int]:
    """Readers who have not passed the practice and have no try left."""
    if not study.practice_pass:
        return set()
    return {
        line.reader.pk
        for line in lines
        if (one := found.get(line.reader.pk))
        and not one.has_passed
        and one.tried >= study.practice_tries + line.reader.more_tries
    }
