"""What the methods say of the readers themselves: who they are, as counts, how they took part and how they answered."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db.models import Count, Q

from reader_study.about_reader import QUESTIONS, answer_name, counts
from reader_study.models import Answer, ReaderAbout, ReaderConsent, Study
from reader_study.services.making import manners
from reader_study.services.reading import practice
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

T = TypeVar("T")


def sentences(study: Study) -> Iterator[str]:
    """Nothing of a replay, whose files say nothing of it."""
    if study.origin == Study.Origin.REPLAY:
        return
    yield from _centres(study)
    yield from _consent(study)
    yield from _about(study)
    yield from _practice(study)
    yield from _paper(study)
    yield from _manner(study)


def table(study: Study) -> list[tuple[str, str, int]]:
    """What readers who count tell of themselves: (question, answer, readers), in words and never by reader."""
    said = ReaderAbout.objects.filter(reader__in=study.readers.counted()).values(*QUESTIONS)
    return [
        (str(QUESTIONS[question]), answer_name(question, answer), n) for question, answer, n in counts(said)
    ]


def _centres(study: Study) -> Iterator[str]:
    names = set(study.readers.counted().exclude(centre="").values_list("centre", flat=True))
    if names:
        yield ngettext("They worked at %(n)d centre.", "They worked at %(n)d centres.", len(names)) % {
            "n": len(names)
        }


def _consent(study: Study) -> Iterator[str]:
    if not study.asks_consent:
        return
    rows = ReaderConsent.objects.filter(reader__study=study, reader__is_preview=False)
    found = {
        decision: rows.filter(decision=decision).values("reader").distinct().count()
        for decision in ReaderConsent.Decision.values
    }
    yield (
        _(
            "Readers consented before the first photo; %(accepted)d accepted, %(refused)d refused and %(withdrawn)d "
            "withdrew."
        )
        % found
    )


def _about(study: Study) -> Iterator[str]:
    by_question: dict[str, list[str]] = {}
    for question, answer, n in table(study):
        by_question.setdefault(question, []).append(f"{answer} {grouped(n)}")
    if by_question:
        said = "; ".join(f"{question}: {', '.join(answers)}" for question, answers in by_question.items())
        yield _("They said of themselves: %(said)s.") % {"said": said}


def _practice(study: Study) -> Iterator[str]:
    photos = study.images.filter(is_practice=True).count()
    if study.practice_feedback and photos:
        yield _("After each practice photo readers were told what it shows.")
    if not study.practice_pass or not photos:
        return
    counted = set(study.readers.counted().values_list("pk", flat=True))
    tries = [one for pk, one in practice.tries_of(study).items() if pk in counted]
    yield _(
        "To begin, %(needed)d of %(photos)d practice photos had to be right, in at most %(tries)d tries. "
        "Readers who passed: %(passed)d (%(again)d not at the first try); who did not: %(failed)d."
    ) % {
        "needed": min(study.practice_pass, photos),
        "photos": photos,
        "tries": study.practice_tries,
        "passed": sum(passed for _n, passed, _right in tries),
        "again": sum(passed and n > 1 for n, passed, _right in tries),
        "failed": sum(not passed for _n, passed, _right in tries),
    }


def _once(study: Study, count: Callable[[Study], T]) -> T:
    """What looks through all answers is counted once of a study as it was read, whatever the number of languages."""
    known = study.__dict__.setdefault("_counted_once", {})
    if count not in known:
        known[count] = count(study)
    found: T = known[count]
    return found


def _on_paper(study: Study) -> tuple[int, int, int]:
    """Answers from paper, in all, and those from paper in an aided session that never showed the model's."""
    rows = Answer.objects.given().filter(
        reading__reader__in=study.readers.counted(), image__is_practice=False, image__repeat_of=None
    )
    paper = Q(is_from_paper=True)
    unseen = paper & Q(reading__session__is_aided=True, model_shown_at=None)
    found = rows.aggregate(
        paper=Count("pk", filter=paper), total=Count("pk"), unseen=Count("pk", filter=unseen)
    )
    return found["paper"], found["total"], found["unseen"]


def _paper(study: Study) -> Iterator[str]:
    n, total, unseen = _once(study, _on_paper)
    if not n:
        return
    yield ngettext(
        "%(n)d of %(total)d answers was given on paper.", "%(n)d of %(total)d answers were given on paper.", n
    ) % {"n": n, "total": total}
    if unseen:
        yield ngettext(
            "%(n)d of them stands in an aided session although its reader never saw the model's answer here.",
            "%(n)d of them stand in an aided session although their readers never saw the model's answer here.",
            unseen,
        ) % {"n": unseen}


def _manner(study: Study) -> Iterator[str]:
    found = _once(study, manners.totals)
    if not found["timed"]:
        return
    yield (
        ngettext(
            "%(fast)d of %(timed)d timed answer on the screen was given within 1 s.",
            "%(fast)d of %(timed)d timed answers on the screen were given within 1 s.",
            found["timed"],
        )
        % found
    )
    if found["runs"] or found["same"]:
        yield (
            _(
                "Of %(readings)d readings %(runs)d held the same choice ten or more times in a row and %(same)d "
                "one confidence throughout."
            )
            % found
        )
