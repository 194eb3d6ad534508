"""What the code of the product never does, read from the source: ways in that no input check would close again."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from skinclinic import settings as product

ROOT = Path(__file__).resolve().parents[2]
APPS = ("skinclinic", "classifier", "reader_study")
# What would stand in the text, and where it may all the same, each with its reason.
NEVER: dict[str, tuple[str, dict[str, str]]] = {
    "text is run as code": ("eval( exec( compile( __import__(", {}),
    "a shell reads a command": ("os.system( os.popen( shell=True getoutput(", {}),
    "what was sent becomes objects": (
        "pickle.load marshal.load shelve.open yaml.load allow_pickle=True weights_only=False",
        {
            "skinclinic/engine/side_by_side.py": "what its own processes wrote, in a folder that is theirs alone"
        },
    ),
    "SQL is put together": (
        ".raw( .extra( RawSQL( cursor.execute .cursor()",
        {
            "skinclinic/archive/services/datasets/datasets.py": "names of columns, from the model and quoted",
            "skinclinic/concurrent_indexes.py": "how long locks are waited for, as the database had said it",
            "skinclinic/engine/clock.py": "the time, without a value",
            "skinclinic/management/while_serving.py": "names of tables, from models and quoted; seconds, a constant",
            "skinclinic/services/audit_chain.py": "the name of a table, from the model",
            "skinclinic/services/backing_up/making.py": "how large the database is",
            "skinclinic/services/backing_up/restoring.py": "names of tables, from the database and quoted",
            "skinclinic/services/backing_up/snapshot.py": "the isolation of a transaction, without a value",
            "skinclinic/services/backing_up/tables.py": "names of tables and columns, from models and quoted",
            "skinclinic/services/former_tables.py": "names of tables, constants and quoted",
            "skinclinic/services/doctor/deep.py": "PRAGMA, without a value",
            "skinclinic/services/doctor/stores.py": "versions and clock, without a value",
            "skinclinic/services/erasing/afterwards.py": "VACUUM, without a value",
            "skinclinic/services/word_indexes.py": "names of tables and columns, from models and quoted",
            "skinclinic/services/ready.py": "SELECT 1",
        },
    ),
    "XML is read": ("xml.etree xml.dom xml.parsers lxml XMLParser", {}),
    "a template comes from elsewhere than its file": (
        "Template( .from_string( jinja2.Template( DictLoader( FunctionLoader(",
        {},
    ),
    "text is passed off as HTML": (
        "mark_safe( SafeString( Markup(",
        {
            "skinclinic/jinja.py": "what templates drew, and the catalogue's words for what stands in them",
            "skinclinic/views/help.py": "pages of the help, in which HTML is shown as text",
            "classifier/templatetags/evaluations.py": "figures, whose texts were escaped as they were drawn",
        },
    ),
    "an address elsewhere is asked": (
        "requests.get requests.post httpx urllib.request urlopen( http.client state_dict_from_url",
        {
            "skinclinic/web/outgoing.py": "webhooks of admins: public addresses alone, without redirects",
            "skinclinic/api/client/asking.py": "not run here: a part of the client that others copy",
        },
    ),
    "a hash or cipher is one that is broken": (".md5( .sha1( RC4 Blowfish MODE_ECB", {}),
    "the check of forms is left out": (
        "@csrf_exempt",
        {
            "classifier/views/outside_opinion.py": "the link's secret is all the access there is",
            "reader_study/views/reader_access.py": "the link's secret is all the access there is",
            "classifier/views/upload.py": "checked a moment later, in the view",
        },
    ),
    "a secret can be guessed": ("random.choice random.randint random.getrandbits uuid.uuid1 uuid1(", {}),
}


@cache
def texts(pattern: str, *folders: str) -> dict[str, str]:
    found = (path for folder in folders for path in (ROOT / folder).rglob(pattern))
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in found
        if not {"migrations", "vendor", "__pycache__"} & set(path.parts)
    }


def stands(word: str, text: str) -> bool:
    """Whether the word begins there: ``network.eval(`` and ``re.compile(`` are others."""
    return (
        word in text
        and re.search(rf"(?<![\w.]){re.escape(word)}" if word[0] != "." else re.escape(word), text)
        is not None
    )


@pytest.mark.parametrize("what", NEVER)
def test_the_code_never_lets(what):
    words, allowed = NEVER[what]
    where = {
        name
        for name, text in texts("*.py", *APPS).items()
        if any(stands(word, text) for word in words.split())
    }
    assert where == set(allowed), what


def test_templates_escape_everything():
    for name, text in texts("*.html", "templates").items():
        unescaped = re.findall(r"\|\s*(?:safe|safeseq)\b|autoescape (?:off|false)|\bMarkup\(", text)
        assert unescaped == (["|safe"] if name == "templates/django/forms/field.html" else []), name
    # What is sent as plain text needs none; its subject is one line.
    plain = texts("*.txt", "templates")
    assert all(name.endswith("mail.txt") for name, text in plain.items() if "autoescape off" in text)


def test_scripts_run_no_text_and_read_json_as_data():
    for name, text in texts("*.js", "static/js").items():
        assert not re.search(
            r"(?<![\w.])eval\(|new Function|document\.write\(|set(Timeout|Interval)\(\s*[\"'`]", text
        ), name
    assert '"allowEval":false' in (ROOT / "templates/base.html").read_text()


def test_passwords_are_kept_as_slow_salted_hashes():
    assert getattr(product, "PASSWORD_HASHERS", global_settings.PASSWORD_HASHERS)[0].endswith(
        "PBKDF2PasswordHasher"
    )
    hasher = PBKDF2PasswordHasher()
    assert hasher.algorithm == "pbkdf2_sha256" and hasher.iterations >= 600_000
    assert hasher.salt_entropy >= 128 and len({hasher.salt() for _ in range(3)}) == 3
