"""What may be a primary endpoint: the model against readers on a disease, or on a question of all diseases; or a
question between sessions."""

from collections.abc import Collection

from skinclinic.vocabulary.diseases import DISEASE_KEYS

ACCURACY, MALIGNANCY, MANAGEMENT = "accuracy", "malignant", "management"
# Of the model against readers; it is not asked for the management.
OF_MODEL = (ACCURACY, MALIGNANCY)
# Of a later session minus an earlier one.
BETWEEN_SESSIONS = {f"sessions_{name}": name for name in (ACCURACY, MALIGNANCY, MANAGEMENT)}
ENDPOINTS = (*OF_MODEL, *BETWEEN_SESSIONS, *DISEASE_KEYS)


def chosen(names: Collection[str]) -> tuple[str, ...]:
    """Those of the endpoints that were chosen, in their order."""
    return tuple(name for name in ENDPOINTS if name in names)


def of_model(primary: Collection[str]) -> tuple[str, ...]:
    """The primary endpoints of the model against readers."""
    return tuple(name for name in primary if name not in BETWEEN_SESSIONS)


def of_sessions(primary: Collection[str]) -> tuple[str, ...]:
    """The questions that are primary between sessions."""
    return tuple(BETWEEN_SESSIONS[name] for name in primary if name in BETWEEN_SESSIONS)


def kinds(primary: Collection[str]) -> int:
    """How many kinds of comparison have a primary endpoint; Holm's correction is made within each of them."""
    return max(1, sum(map(bool, (of_model(primary), of_sessions(primary)))))
