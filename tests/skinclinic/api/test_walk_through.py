"""docs/api.md runs as it stands against a running server, and its client says what the schema says."""

import json
import os
import re
import subprocess
import sys
import time
import types
import typing
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings

from skinclinic.api import waiting
from skinclinic.engine import jobs
from skinclinic.management.commands import api_client
from skinclinic.models import Photo
from skinclinic.services import webhooks
from tests import factories

DOCS = Path(settings.BASE_DIR) / "docs"
GUIDE = (DOCS / "api.md").read_text()


def blocks(language: str) -> str:
    """All blocks of a language, in the order of the page; but what everybody puts in for themselves."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL))


@pytest.fixture
def program(live_server, clinician, model_version, tmp_path, monkeypatch):
    """Where the commands run: a photo, the address of the server, a token."""
    # The worker, which is as quick as the one who waits for it.
    monkeypatch.setattr(waiting, "sleep", lambda seconds: jobs.run_waiting("analyse"))
    (tmp_path / "lesion.jpg").write_bytes(factories.jpeg_bytes(4))
    return os.environ | {
        "SKINCLINIC": live_server.url, "TOKEN": factories.make_token(clinician), "PYTHONPATH": str(DOCS),
    }  # fmt: skip


def run(command: list[str], script: str, environment, folder) -> str:
    done = subprocess.run(
        command, input=script, env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_of_the_walk_through_works(program, tmp_path):
    said = run(["bash", "-euo", "pipefail"], blocks("sh"), program, tmp_path)
    assert '"state": "done"' in said and '"number": 1' in said
    assert Photo.objects.get().lesion.patient.code == "P-1042"
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")


def test_every_line_of_python_works(program, tmp_path):
    said = run([sys.executable, "-"], blocks("python"), program, tmp_path)
    assert said.startswith("done {'balanced'") and "400 " in said
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_page_knows_a_message_of_ours_from_others():
    names: dict = {}
    exec(blocks("python").partition("import hashlib")[2].join(["import hashlib", ""]), names)
    body, secret, now = b'{"id": "x"}', "skw_1", int(time.time())
    header = webhooks.signature(secret, body, now)
    assert names["is_ours"](secret, header, body)
    assert not names["is_ours"](secret, header, body + b" ") and not names["is_ours"]("skw_2", header, body)
    assert not names["is_ours"](secret, webhooks.signature(secret, body, now - 301), body)


@pytest.fixture
def client_module(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import skinclinic_client

    return skinclinic_client


@pytest.fixture
def schema(client_for, admin_user):
    answer = client_for(admin_user).get("/api/v1/schema/?format=json")
    return answer.json()


def test_the_client_is_as_the_schema_has_it():
    assert api_client.CLIENT.read_text(encoding="utf-8") == api_client.made(), "manage.py api_client"


def test_the_types_of_the_client_are_those_of_the_schema(client_module, schema, db):
    """Each names a schema, and fields that are there, null where they may be null, of the same kind."""
    kinds = {int: "integer", float: "number", str: "string", bool: "boolean", list: "array", dict: "object"}
    components, checked = schema["components"]["schemas"], 0

    def choices(told: dict) -> set:
        """Of a field of choices, those that it and what it names have."""
        named = [told, *(told.get("allOf") or told.get("oneOf") or ())]
        named += [components[one["$ref"].rsplit("/", 1)[-1]] for one in named if "$ref" in one]
        return {value for one in named for value in one.get("enum", ())}

    for name, kind in vars(client_module).items():
        if not typing.is_typeddict(kind):
            continue
        fields = components[name]["properties"]
        for field, annotation in typing.get_type_hints(kind).items():
            told = fields[field]
            is_one = typing.get_origin(annotation) not in (typing.Union, types.UnionType)
            parts = (annotation,) if is_one else typing.get_args(annotation)
            assert bool(told.get("nullable")) == (type(None) in parts), f"{name}.{field}"
            one, *others = (part for part in parts if part is not type(None))
            origin = typing.get_origin(one) or one
            reference = told if "$ref" in told else next(iter(told.get("allOf") or told.get("oneOf") or [{}]))
            if origin is typing.Literal:
                said = {value for part in (one, *others) for value in typing.get_args(part)}
                assert said == choices(told), f"{name}.{field}"
            elif typing.is_typeddict(one):
                assert reference["$ref"].rsplit("/", 1)[-1] == one.__name__, f"{name}.{field}"
            else:
                assert told.get("type") == kinds.get(origin), f"{name}.{field}"
            checked += 1
    assert checked > 100


def test_what_the_client_asks_for_is_in_the_schema(client_module, schema, monkeypatch, db):
    asked = []

    def answer(self, method, address, body, head):
        asked.append((method, address.partition("?")[0], set(head), body))
        return b'{"results": [], "next": null}', {}

    monkeypatch.setattr(client_module.Client, "_ask", answer)
    client = client_module.Client("https://skin.example.org", "skc_x")
    client.send_photo(b"x", "x.jpg", wait=1, site="cheek")
    client.photo(1), client.analysis(1, wait=1), list(client.analyses(photo=1, job__state="done"))
    (
        client.record_impression(1, disease="mm"),
        client.record_diagnosis(lesion=1, kind="pathology", replaces=None),
    )
    client.choose_square(1, suggested=2), client.patient(1), list(client.lesions(is_proven=True)), client.me()
    for method, address, headers, _body in asked:
        operation = schema["paths"]["/api/v1/" + re.sub(r"\d+", "{id}", address)][method.lower()]
        known = {one["name"] for one in operation.get("parameters", ())} | {"Content-Type"}
        assert headers <= known, (address, headers - known)
    assert len(asked) == 10
    bodies = {
        address: json.loads(body) for _method, address, _head, body in asked if body and address != "photos/"
    }
    assert bodies["diagnoses/"] == {"lesion": 1, "kind": "pathology", "replaces": None}, "null is said"
    assert bodies["photos/1/crop/"] == {"suggested": 2}


def test_the_token_goes_to_no_other_server(client_module):
    client = client_module.Client("https://skin.example.org", "skc_x")
    for address in ("https://evil.example/x", "//evil.example/x", "https://skin.example.org.evil.example/"):
        with pytest.raises(ValueError, match="this server alone"):
            client.fetch(address)


def test_the_client_sends_again_under_the_same_key(client_module, monkeypatch):
    keys, answers = [], [client_module.URLError("gone"), SimpleNamespace(read=lambda: b"{}", headers={})]

    class Answer:
        def __init__(self, one):
            self.one = one

        def __enter__(self):
            return self.one

        def __exit__(self, *args):
            return False

    def urlopen(request, timeout):
        keys.append(request.get_header("Idempotency-key"))
        one = answers.pop(0)
        if isinstance(one, Exception):
            raise one
        return Answer(one)

    monkeypatch.setattr(client_module, "urlopen", urlopen)
    monkeypatch.setattr(client_module.time, "sleep", lambda seconds: None)
    client_module.Client("https://skin.example.org", "skc_x").send_photo(b"x", "x.jpg")
    assert len(keys) == 2 and len(set(keys)) == 1 and keys[0]
