"""What readers were given and what they answered: which design a study has, and whether it is complete.

An image counts for a reader as answered, skipped (seen and passed over), not reached (the reader's to read, but the
reader never came to it), not assigned (the protocol gave it to other readers) or never shown (not the reader's to read,
and nobody knows why). Skipped and not reached are missing answers. What was never shown or not assigned is none; but
then readers have read different images, and a study whose protocol wanted that is complete all the same.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from classifier.metrics import notes
from reader_study.statistics.coded import MISSING, Part, Session, parts
from reader_study.statistics.patterns import blocks, pattern
from reader_study.statistics.tables import StudyTables

# Of more missing answers than this share of what was given, nothing is concluded.
MOST_MISSING = 0.05
COUNTED = ("answered", "skipped", "not_reached", "never_shown", "not_assigned")


def design(part: Part, session: Session) -> dict[str, Any]:
    """Of one session of one dataset, of the readers who read anything in it or were to: counts together, by reader
    and by image, and why it is not ``complete``. Who left everything out is in no mean, but their answers miss."""
    who = session.of(session.read | session.given.any(1))
    states = _states(who, part.by_design)
    together = _counts(states)
    note = _note(who, together)
    return {
        "n_readers": len(who.readers),
        "n_images": len(part.images),
        **together,
        "missing_share": missing_share(together),
        "complete": note in ("", notes.BLOCKS),
        "note": note,
        # Of what was shown, whatever of it was answered.
        "pattern": pattern(who.given[None]) if who.given.any() else None,
        "n_blocks": len(blocks(who.given)),
        "readers": {
            name: _counts({state: found[place] for state, found in states.items()})
            for place, name in enumerate(who.readers)
        },
        # Those that everybody answered say nothing.
        "images": {
            image.name: _counts({state: found[:, place] for state, found in states.items()})
            for place, image in enumerate(part.images)
            if not states["answered"][:, place].all()
        },
    }


def added(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Several datasets together: their counts, and the first reason against any of them."""
    found = list(found)
    together = {state: sum(one[state] for one in found) for state in COUNTED}
    note = next((one["note"] for one in found if one["note"]), "")
    return together | {
        "missing_share": missing_share(together),
        "complete": all(one["complete"] for one in found),
        "note": note,
    }


def designs(tables: StudyTables) -> dict[str, dict[str, Any]]:
    """Each session, all datasets together."""
    found = parts(tables)
    if not found:
        return {}
    return {
        session.name: added(design(part, part.sessions[place]) for part in found)
        for place, session in enumerate(found[0].sessions)
    }


def missing_share(counts: dict[str, Any]) -> float | None:
    """Missing answers as a share of what was given; None where nothing was."""
    missing = counts["skipped"] + counts["not_reached"]
    given = counts["answered"] + missing
    return missing / given if given else None


def _states(who: Session, by_design: bool) -> dict[str, np.ndarray]:
    answered = who.codes != MISSING
    return {
        "answered": answered,
        "skipped": who.given & ~answered & who.reached,
        "not_reached": who.given & ~answered & ~who.reached,
        "never_shown": ~who.given & (not by_design),
        "not_assigned": ~who.given & by_design,
    }


def _counts(states: dict[str, np.ndarray]) -> dict[str, Any]:
    return {state: int(states[state].sum()) for state in COUNTED}


def _note(who: Session, counts: dict[str, Any]) -> str:
    if not counts["answered"]:
        return notes.NO_ANSWERS
    if counts["never_shown"]:
        return notes.OTHER_IMAGES
    share = missing_share(counts)
    if share is not None and share > MOST_MISSING:
        return notes.MANY_MISSING
    return notes.BLOCKS if counts["not_assigned"] else ""
