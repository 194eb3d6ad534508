"""The API answers as its schema says, whatever it is sent: requests made of the schema, by each role, to the WSGI
application. No answer is an error of ours, has a status that is not in the schema, or a body that it does not allow."""

import logging
import os
from collections import Counter

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from classifier.services.models import registry
from skinclinic.wsgi import application
from tests import factories
from tests.skinclinic.test_isolation import one_of_everything

pytestmark = [pytest.mark.check, pytest.mark.django_db]

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
# Requests an operation and a role gets; a person who looks for more sets it.
EXAMPLES = int(os.environ.get("SKINCLINIC_SCHEMA_EXAMPLES", "2"))
# The roles differ in what they may do, which no database changes.
ROLES = (
    ["admin", "curator", "coordinator", "clinician", "reading"]
    if connection.vendor == "sqlite"
    else ["clinician"]
)
# What a part of an address or a field names in the world of test_isolation.
BY_PATH = {
    "datasets": "version",
    "analyses": "analysis", "answer-changes": "answer_change", "answers": "answer", "assessments": "assessment",
    "bin": "bin_item", "biopsies": "biopsy", "comments": "comment", "diagnoses": "pathology",
    "explanations": "explanation", "model-exports": "model_export",
    "follow-ups": "follow_up", "invitations": "invitation", "lesions": "lesion", "members": "member",
    "models": "own_model", "notes": "note", "patients": "patient", "photos": "photo",
    "publications": "publication", "readings": "reading", "shadows": "shadow", "studies": "study",
    "study-results": "study", "symptoms": "symptoms", "webhooks": "webhook",
}  # fmt: skip
BY_FIELD = {
    "lesion": "lesion", "patient": "patient", "photo": "photo", "model_version": "own_model", "replaces": "pathology",
    "instead_of": "patient_size", "study": "study", "reading": "reading", "analysis": "analysis",
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(standing, model_dir):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        registry.register(model_dir)
        roles = {
            role: factories.make_member(clinic, role, role)
            for role in ("curator", "coordinator", "clinician")
        }
        roles["admin"] = factories.make_member(clinic, "admin", "ada")
        tokens = {role: factories.make_token(user) for role, user in roles.items()}
        tokens["reading"] = factories.make_token(roles["admin"], scope="read", clinic=clinic)
        standing.keep(world=one_of_everything(clinic, roles["admin"], home), tokens=tokens)


@pytest.fixture
def one_connection():
    """As Django's own test client does: the end of a request ends no transaction of a test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    # Refusals by the thousand.
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def schema(everything, given, one_connection):
    headers = {"Authorization": f"Token {given['tokens']['admin']}"}
    return schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application, headers=headers)


def real(case, world) -> None:
    """Let it ask for rows that are there."""
    kind = case.operation.path.split("/")[3]
    for name in set(case.path_parameters or {}) - {"token"}:
        case.path_parameters[name] = world.slug if name == "slug" else getattr(world, BY_PATH[kind]).pk
    if isinstance(case.body, dict):
        for name in set(case.body) & set(BY_FIELD):
            case.body[name] = getattr(world, BY_FIELD[name]).pk


class Asking:
    """Sends requests with a role's token and counts what is wrong with the answers."""

    def __init__(self, token: str, world):
        self.headers, self.world = {"Authorization": f"Token {token}"}, world
        self.wrong, self.statuses = Counter(), Counter()

    def ask(self, case, is_real: bool) -> None:
        if is_real:
            real(case, self.world)
        rolled_back = transaction.atomic()
        # The product may ask for transactions of its own inside it, as in any test.
        rolled_back._from_testcase = True
        with rolled_back:
            for what in self.problems(case):
                self.wrong[f"{case.operation.label}: {what}"] += 1
            # Each finds everything as it was.
            transaction.set_rollback(True)

    def problems(self, case) -> list[str]:
        try:
            response = case.call(headers=self.headers, app=application)
            self.statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            return [told(failure) for failure in group.exceptions]
        except Failure as failure:
            return [told(failure)]
        except Exception as error:
            return [f"raised {error!r}"]
        return []


def told(failure: Failure) -> str:
    return " ".join(f"{failure.title} {failure.message}".split())[:400]


@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_as_the_schema_says(role, schema, given):
    asking = Asking(given["tokens"][role], given["world"])
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        cases = strategies.one_of(
            operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE)
        )
        run = hypothesis.given(cases, strategies.booleans())(asking.ask)
        run = hypothesis.settings(
            max_examples=EXAMPLES, database=None, deadline=None, phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )(run)  # fmt: skip
        hypothesis.seed(f"{role} {connection.vendor}")(run)()
    assert not asking.wrong, "\n".join(f"{count} × {what}" for what, count in sorted(asking.wrong.items()))
    assert asking.statuses[200] > 20, asking.statuses
