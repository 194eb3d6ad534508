"""study_size as it is run: a table, JSON or CSV, and why there is none."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.cases import each

STATED = (
    "--var-error .001 --rho1 .43 --rho2 .4 --rho3 .3 --var-readers .0002 --error-cases 100 --difference .04"
)


def run(text: str) -> str:
    said = StringIO()
    call_command("study_size", *text.split(), stdout=said)
    return said.getvalue()


def test_a_plan_from_stated_values():
    shown = run(f"{STATED} --readers 3,5 --cases 200")
    assert "564 (0.800)" in shown and "never (at most 0.471)" in shown and "Power with 200 cases" in shown
    plan = json.loads(run(f"{STATED} --readers 5 --json"))
    assert plan["rows"][0]["rrrc"]["cases"] == 564 and plan["assumptions"]
    assert run(f"{STATED} --readers 5 --csv").splitlines()[1].startswith("5,rrrc,564,0.8")


@each(
    "text, said",
    [
        ("--readers 3", "where the variances come from"),
        ("--var-error 1", "--var-error needs --rho1"),
        (f"{STATED} --readers x", "write numbers of readers"),
        (f"{STATED} --alpha 2", "Alpha 2 must lie"),
        (f"{STATED} --cases 1", "--cases 1 must be 2"),
        ("--ratings nowhere.csv", "cannot be read"),
        ("--answers nowhere.csv --measure sensitivity", "needs --disease"),
    ],
)
def test_what_cannot_be_sized(text, said):
    with pytest.raises(CommandError, match=said):
        run(text)
