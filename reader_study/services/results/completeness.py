"""What readers were given, answered and left out, in words: for pages, for the console and for the methods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from classifier.metrics import notes
from classifier.plots.figures import percent
from classifier.plots.notes import note_words
from reader_study.services.results.designs import design_words
from reader_study.statistics.patterns import CROSSED
from skinclinic.web.counts import gettext as _


@dataclass(frozen=True)
class Completeness:
    """Of one session of one dataset. ``why``: why nothing is concluded from it, or ""; ``design``: what a design is
    called that is not crossed; ``readers`` and ``images`` are (name, counts) of those of which something is missing;
    ``is_read``: whether anybody has answered anything."""

    dataset: str
    session: str
    counts: str
    why: str
    design: str
    readers: tuple[tuple[str, str], ...]
    images: tuple[tuple[str, str], ...]
    is_read: bool


def incomplete(report: Mapping) -> list[Completeness]:
    """The sessions in which not everybody answered everything."""
    return [one for one in of_all(report) if one.readers]


def of_all(report: Mapping) -> Iterator[Completeness]:
    for dataset, found in report["datasets"].items():
        for session, design in found["design"].items():
            yield Completeness(
                dataset,
                session,
                counts_text(design),
                why_text(design),
                design_words(design) if design["pattern"] != CROSSED else "",
                _lacking(design["readers"]),
                _lacking(design["images"]),
                design["answered"] > 0,
            )


def counts_text(counts: Mapping) -> str:
    """The counts, each named."""
    said = _(
        "%(answered)d answered, %(skipped)d skipped, %(not_reached)d not reached, %(never_shown)d never shown"
    ) % {name: counts[name] for name in ("answered", "skipped", "not_reached", "never_shown")}
    if not_assigned := counts.get("not_assigned"):
        said += ", " + _("%(n)d not assigned") % {"n": not_assigned}
    return said


def why_text(design: Mapping) -> str:
    """Why nothing is concluded from this design; "" for a complete one."""
    if design["note"] == notes.MANY_MISSING:
        return missing_text(design["missing_share"])
    return note_words(design["note"])


def missing_text(share: float | None) -> str:
    return _("%(share)s of the answers are missing") % {"share": percent(share)}


def _lacking(found: Mapping) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, counts_text(counts))
        for name, counts in found.items()
        if counts["skipped"] or counts["not_reached"] or counts["never_shown"]
    )
