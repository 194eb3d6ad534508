"""What keeps a clinic's engine from working although workers are alive. Apps register their own check."""

from collections.abc import Callable

from skinclinic.models import Clinic

_checks: list[Callable[[Clinic], str]] = []


def readiness_check(function: Callable[[Clinic], str]) -> Callable[[Clinic], str]:
    """Register a check: it returns what is wrong, in words for a person, or "". It must be quick."""
    _checks.append(function)
    return function


def obstacle(clinic: Clinic) -> str:
    """The first thing that is wrong, or ""."""
    return next((problem for check in _checks if (problem := check(clinic))), "")
