"""Every refusal a reader can meet is written once; page, program and the queue of answers read it from there."""

import re
from pathlib import Path

import pytest

from reader_study.services.reading.refusals import AGAIN, NEXT, OVER, REFUSALS, Refused

ROOT = Path(__file__).resolve().parents[3]


def test_every_refusal_that_is_raised_is_in_the_table_and_none_is_left_over():
    raised = set()
    for path in (ROOT / "reader_study").rglob("*.py"):
        text = path.read_text()
        if "reading.refusals import" in text:
            for call in re.findall(r"Refused\(([^)]*?)(?:, \w+)?\)", text):
                raised |= set(re.findall(r'"(\w+)"', call))
            raised |= set(re.findall(r'_refusal\(request, secret, "(\w+)"', text))
    assert raised == set(REFUSALS)


def test_a_refusal_outside_the_table_is_an_error_where_it_is_raised():
    with pytest.raises(KeyError):
        Refused("made_up")


def test_what_the_device_does_with_answers_that_wait():
    over = {"link_closed", "withdrawn", "closed", "not_open", "not_begun", "finished"}
    of_this_answer = {
        "no_photo", "key_of_another", "not_yet", "no_going_back", "not_the_last", "undo_too_late", "first_stands",
        "first_needed", "not_aided_first",
    }  # fmt: skip
    assert {code for code, found in REFUSALS.items() if found.then == OVER} == over
    assert {code for code, found in REFUSALS.items() if found.then == NEXT} == of_this_answer
    assert all(found.then in (AGAIN, NEXT, OVER) for found in REFUSALS.values())
    queue = (ROOT / "static/js/reading/queue.js").read_text()
    assert not [code for code in REFUSALS if f'"{code}"' in queue]
