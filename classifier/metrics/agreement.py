"""How a person's diagnosis stands to what a model listed: the one place where agreement is told.

It is told from the diagnosis and the list alone, never from what the person called the decision.
"""

from collections.abc import Sequence

# The diagnosis is the one the model lists first; it is listed, but not first; it is not listed.
FIRST, LISTED, NOT_LISTED = "first", "listed", "not_listed"
# It is none of the 12, while the model lists some; and while the model, too, lists none.
OUTSIDE, NONE_OF_THEM = "outside", "none_of_12"
# Its code or its words may mean one of the 12, and nobody has said which.
UNCLEAR = "unclear"
# There is no diagnosis, or no list: no answer, no thresholds, a photo that the model's answer does not count for.
NOT_COMPARED = ""

AGREES = (FIRST, NONE_OF_THEM)
DISAGREES = (NOT_LISTED, OUTSIDE)
# A diagnosis that is none of the 12, and one that may be.
OTHER, PERHAPS = "", "?"


def standing(diagnosis: str | None, listed: Sequence[str] | None) -> str:
    """``diagnosis``: a disease key, OTHER, PERHAPS, or None for none. ``listed``: keys, likeliest first, or None."""
    if diagnosis is None or listed is None:
        return NOT_COMPARED
    if diagnosis == PERHAPS:
        return UNCLEAR
    if diagnosis == OTHER:
        return OUTSIDE if listed else NONE_OF_THEM
    if diagnosis not in listed:
        return NOT_LISTED
    return FIRST if diagnosis == listed[0] else LISTED
