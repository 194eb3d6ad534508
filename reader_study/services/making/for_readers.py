"""The part of the protocol that says what readers are asked and given beside the photos."""

from reader_study.models import Study

# Amendable texts that a protocol from before them does not have.
LATER = ("instructions_in", "consent_text", "consent_in")
_FIELDS = (
    "question_in", "asks_consent", "asks_about_reader", "shows_own_result", "practice_feedback", "practice_pass",
    "practice_tries",
)  # fmt: skip


def of(study: Study) -> dict:
    """What differs from what a study has by itself, so that standing protocols keep their hash."""
    usual = Study()
    changed = {name: getattr(study, name) for name in _FIELDS if getattr(study, name) != getattr(usual, name)}
    return {"for_readers": changed} if changed else {}
