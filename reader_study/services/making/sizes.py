"""How large a study must be: what the command and the page say of it, from stated variances or a finished study."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from classifier.metrics.plain import plain
from classifier.plots.figures import percent
from classifier.plots.notes import note_words
from reader_study.models import Study
from reader_study.services.access import with_answers_for
from reader_study.services.results.results import NoResults, Results
from reader_study.statistics import pilot, sizing
from reader_study.statistics.pilot import NoPilot, Pilot, Question
from reader_study.statistics.points import LEAST_CASES
from reader_study.statistics.sizing import Spread
from reader_study.statistics.tables import StudyTables
from skinclinic.models import User
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

SOURCE = "Hillis, Obuchowski & Berbaum 2011, Acad Radiol 18:129–142"
SOURCE_URL = "https://doi.org/10.1016/j.acra.2010.09.007"


@dataclass(frozen=True)
class Wanted:
    """What the study is to show. ``difference`` None: the one that the pilot found, or none with a margin."""

    difference: float | None = None
    margin: float | None = None
    alpha: float = sizing.ALPHA
    power: float = sizing.POWER
    readers: tuple[int, ...] = tuple(range(3, 13))
    cases: int | None = None


def pilots_for(user: User | AnonymousUser) -> QuerySet[Study]:
    """Finished studies with results, of clinics whose answers the person may see; the newest first."""
    return (
        with_answers_for(user)
        .filter(state=Study.State.CLOSED, result__computed_at__isnull=False)
        .select_related("clinic")
        .order_by("-closed_at", "-pk")
    )


def pilot_of(study: Study, question: Question) -> Pilot:
    """A finished study as a pilot. Raises Refused."""
    if not study.is_closed:
        raise Refused(
            "pilot",
            _("“%(study)s” is not closed: before that nobody computes from its answers.") % {"study": study},
        )
    try:
        tables = Results(study).tables
        _check_names(question, tables)
        return pilot.of_study(tables, question)
    except NoResults:
        raise Refused(
            "pilot",
            _("The results of “%(study)s” are missing or were computed by earlier rules. Compute them again.")
            % {"study": study},
        ) from None
    except NoPilot as refused:
        raise Refused("pilot", no_pilot(refused)) from None


def _check_names(question: Question, tables: StudyTables) -> None:
    """Raises Refused for a dataset or session that the study has not."""
    datasets = {image.dataset for image in tables.images}
    sessions = {answer.session for answer in tables.answers}
    asked = ((question.dataset,) if question.dataset else (), datasets), (question.sessions, sessions)
    for names, known in asked:
        for name in names:
            if name not in known:
                raise Refused(
                    "pilot",
                    _("It has no “%(name)s”, but: %(known)s.")
                    % {"name": name, "known": ", ".join(sorted(known))},
                )


def no_pilot(refused: NoPilot) -> str:
    """Why something is no pilot, in words."""
    return _("No variances can be taken from it: %(why)s.") % {"why": note_words(refused.note)}


def plan(spread: Spread, wanted: Wanted, found: Pilot | None = None) -> dict[str, Any]:
    """The smallest number of cases for each number of readers, and the power with ``wanted.cases``, by analysis.
    Raises sizing.CannotSize."""
    difference = wanted.difference
    if difference is None:
        # Of non-inferiority the question is whether a model as good as the readers would be shown to be.
        difference = 0.0 if wanted.margin is not None or found is None else found.effect
    by: dict[str, Any] = {"alpha": wanted.alpha, "margin": wanted.margin}
    rows: list[dict[str, Any]] = []
    for readers in wanted.readers:
        row: dict[str, Any] = {"readers": readers}
        for analysis in sizing.ANALYSES:
            size = sizing.size(spread, readers, difference, analysis, wanted=wanted.power, **by)
            one = asdict(size)
            if wanted.cases is not None:
                with_them = sizing.power(spread, readers, wanted.cases, difference, analysis, **by)
                one |= {"power_with_cases": with_them.power, "df": with_them.df}
            row[analysis] = {
                name: value for name, value in one.items() if name not in ("readers", "analysis")
            }
        rows.append(row)
    result: dict[str, Any] = plain(
        {
            "design": spread.design,
            "difference": difference,
            "margin": wanted.margin,
            "alpha": wanted.alpha,
            "power": wanted.power,
            "cases": wanted.cases,
            "spread": asdict(spread),
            "pilot": found and {
                "readers": found.readers, "cases": found.cases, "difference": found.effect, "sessions": found.sessions,
                "positives": found.positives, "missing_share": found.missing_share,
            },
            "rows": rows,
            "source": SOURCE,
        }
    )  # fmt: skip
    return result


def assumptions(plan: dict[str, Any], measure: str) -> Iterator[str]:
    """What the numbers rest on, a sentence each."""
    spread = plan["spread"]
    if plan["margin"] is None:
        yield _("The true difference is %(difference)s, tested two-sided with alpha %(alpha)s.") % {
            "difference": f"{plan['difference']:+.3f}",
            "alpha": f"{plan['alpha']:g}",
        }
    else:
        yield _(
            "The true difference is %(difference)s; it is to be shown to lie above −%(margin)s, one-sided with "
            "%(alpha)s."
        ) % {
            "difference": f"{plan['difference']:+.3f}", "margin": f"{plan['margin']:g}",
            "alpha": f"{plan['alpha'] / 2:g}",
        }  # fmt: skip
    if plan["design"] == sizing.SESSIONS:
        yield _("Every reader reads every case in both sessions.")
    else:
        yield _(
            "Every reader reads every case, and the model answers each of them; the model does not change."
        )
    yield _(
        "Cases are like those of the error variance (for %(cases)d cases), in the same mix of diseases; it shrinks "
        "with their number, the readers' variance does not."
    ) % {"cases": spread["cases"]}
    if measure == pilot.SENSITIVITY:
        yield _("Cases are photos of the disease alone.")
    elif measure == pilot.SPECIFICITY:
        yield _("Cases are photos of all other diseases.")
    yield from _of_pilot(plan, measure)
    if spread["clipped"]:
        yield _("A variance came out negative and counts as 0: %(names)s.") % {
            "names": ", ".join(_variance(name) for name in spread["clipped"])
        }
    if plan["power"] and (most := max((row["readers"] for row in plan["rows"]), default=0)) > 1:
        yield _("Looked for up to %(readers)d readers and %(cases)d cases.") % {
            "readers": most, "cases": sizing.MOST_CASES,
        }  # fmt: skip


def _of_pilot(plan: dict[str, Any], measure: str) -> Iterator[str]:
    if found := plan["pilot"]:
        yield _(
            "A pilot of %(readers)d readers and %(cases)d cases knows its variances only roughly; the study may need "
            "more than is said here."
        ) % {"readers": found["readers"], "cases": found["cases"]}
        if missing := found["missing_share"]:
            yield _("%(share)s of its answers are missing and count as wrong.") % {"share": percent(missing)}
        few = found["positives"] is not None and found["positives"] < LEAST_CASES
        if few and measure != pilot.SPECIFICITY:
            yield _("It has %(n)d cases of the disease, too few to know any variance by.") % {
                "n": found["positives"]
            }
        if plan["margin"] is None and plan["difference"] == found["difference"]:
            yield _(
                "The difference is the one that the pilot found, which is often larger than the true one."
            )


def _variance(name: str) -> str:
    """A part of the spread in words."""
    return {
        "var_tr": _("readers, between the sessions"),
        "var_r": _("readers"),
        "own": _("error of one reader"),
        "shared": _("error that readers share"),
    }[name]


def table(plan: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    """The plan with one fact a row, the header first."""
    yield (
        "readers", "analysis", "cases_needed", "power", "note", "most_power", "cases", "power_with_cases", "difference",
        "margin", "alpha",
    )  # fmt: skip
    for row in plan["rows"]:
        for analysis in sizing.ANALYSES:
            one = row[analysis]
            yield (
                row["readers"], analysis, one["cases"], one["power"], one["note"], one["most_power"], plan["cases"],
                one.get("power_with_cases"), plan["difference"], plan["margin"], plan["alpha"],
            )  # fmt: skip


def reader_numbers(text: str) -> tuple[int, ...]:
    """ "5", "3,5,8" or "3-12". Raises Refused."""
    found: list[int] = []
    for part in filter(None, (part.strip() for part in text.replace("–", "-").split(","))):
        ends = [end.strip() for end in part.split("-")]
        if not (len(ends) <= 2 and all(end.isascii() and end.isdigit() and len(end) < 5 for end in ends)):
            raise Refused(
                "readers",
                _("“%(text)s”: write numbers of readers as 5, 3,5,8 or 3-12.") % {"text": text[:40]},
            )
        found += range(int(ends[0]), int(ends[-1]) + 1)
        if len(found) > MOST_ROWS:
            break
    if not found or len(found) > MOST_ROWS or not all(1 <= one <= sizing.MOST_READERS for one in found):
        raise Refused(
            "readers",
            _("Give between 1 and %(rows)d numbers of readers, each from 1 to %(most)d.")
            % {"rows": MOST_ROWS, "most": sizing.MOST_READERS},
        )
    return tuple(dict.fromkeys(found))


MOST_ROWS = 40


def widths(counts: Iterable[tuple[str, int]], share: float) -> list[tuple[str, int, float | None]]:
    """(key, photos, expected width of the interval of a sensitivity of ``share``)."""
    return [(key, n, sizing.expected_width(n, share)) for key, n in counts]
