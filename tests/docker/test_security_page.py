"""docs/security.md: every requirement once, every test it names is there, its counts are right; and what it says of the
stack that no other test holds."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
VERDICTS = ("pass", "fail", "n.a.", "operator's")
# The numbers of ASVS 4.0.3 that count at level 2.
LEVEL_2 = """
1.1: 1-7
1.2: 1-4
1.4: 1 4-5
1.5: 1-4
1.6: 1-4
1.7: 1-2
1.8: 1-2
1.9: 1-2
1.10: 1
1.11: 1-2
1.12: 2
1.14: 1-6
2.1: 1-12
2.2: 1-3
2.3: 1-3
2.4: 1-5
2.5: 1-7
2.6: 1-3
2.7: 1-6
2.8: 1-7
2.9: 1-3
2.10: 1-4
3.1: 1
3.2: 1-4
3.3: 1-4
3.4: 1-5
3.5: 1-3
3.7: 1
4.1: 1-3 5
4.2: 1-2
4.3: 1-3
5.1: 1-5
5.2: 1-8
5.3: 1-10
5.4: 1-3
5.5: 1-4
6.1: 1-3
6.2: 1-6
6.3: 1-2
6.4: 1-2
7.1: 1-4
7.2: 1-2
7.3: 1 3-4
7.4: 1-3
8.1: 1-4
8.2: 1-3
8.3: 1-8
9.1: 1-3
9.2: 1-4
10.2: 1-2
10.3: 1-3
11.1: 1-8
12.1: 1-3
12.2: 1
12.3: 1-6
12.4: 1-2
12.5: 1-2
12.6: 1
13.1: 1 3-5
13.2: 1-3 5-6
13.3: 1-2
13.4: 1-2
14.1: 1-4
14.2: 1-6
14.3: 2-3
14.4: 1-7
14.5: 1-4
"""
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
A_PATH = re.compile(r"`((?:\w|[./-])+\.(?:md|py|yaml|conf|txt|html|example|Dockerfile)|\.ci/\w+)`")


def numbers() -> list[str]:
    """ "2.1: 1-12" is 2.1.1 to 2.1.12."""
    found = []
    for line in LEVEL_2.split("\n"):
        section, _colon, items = line.strip().partition(": ")
        for item in items.split():
            first, _dash, last = item.partition("-")
            found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[tuple[list[str], str, str]]:
    """Numbers, verdict and the rest of each line of the tables."""
    lines = [line.strip("| ").split(" | ", 2) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return [(line[0].split(", "), line[1], line[2]) for line in lines if re.match(r"\d+\.\d+\.\d+", line[0])]


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_every_requirement_of_level_2_is_there_once_with_a_verdict():
    wanted = numbers()
    assert len(wanted) == 259
    assert Counter(number for said, _verdict, _rest in rows() for number in said) == Counter(wanted)
    assert {verdict for _said, verdict, _rest in rows()} == set(VERDICTS)


def test_its_counts_are_those_of_the_tables():
    counts = {verdict: Counter() for verdict in VERDICTS}
    for said, verdict, _rest in rows():
        counts[verdict].update(number.partition(".")[0] for number in said)
    page = PAGE.read_text(encoding="utf-8")
    for chapter in range(1, 15):
        (line,) = re.findall(rf"^\| V{chapter} [^|]+\| (.+) \|$", page, re.M)
        assert line.split(" | ") == [str(counts[verdict][str(chapter)]) for verdict in VERDICTS], chapter
    (line,) = re.findall(r"^\| all \| (.+) \|$", page, re.M)
    assert line.split(" | ") == [str(counts[verdict].total()) for verdict in VERDICTS]


def test_what_it_names_exists():
    for said, verdict, rest in rows():
        held = TEST.findall(rest)
        for path, name in held:
            assert re.search(rf"^ *def {name}\(", text_of(path), re.M), f"{path}::{name}"
        assert held or A_PATH.search(rest) or "this page" in rest or "`manage.py" in rest, said
        assert verdict != "pass" or "not there yet" not in rest, said
    for path in A_PATH.findall(PAGE.read_text(encoding="utf-8")):
        known = (ROOT / path).exists() or path in ("manage.py", "docker/.env", "testssl.sh", "erasures.jsonl")
        assert known, path


def test_images_run_as_a_user_of_their_own():
    for image in (ROOT / "docker").glob("*.Dockerfile"):
        lines = image.read_text().splitlines()
        users = [line for line in lines if line.startswith("USER ")]
        assert users and users[-1] == "USER skinclinic", image.name
        assert lines.index(users[-1]) < next(i for i, line in enumerate(lines) if line.startswith("CMD"))


def test_the_proxy_speaks_tls_of_today():
    proxy = (ROOT / "docker" / "nginx.conf").read_text()
    assert re.findall(r"ssl_protocols (.+);", proxy) == ["TLSv1.2 TLSv1.3"]
    assert "return 301 https://$host$request_uri;" in proxy
