"""No pattern of the product takes long over a text that somebody made for it: long runs of one letter or a few."""

import ast
import functools
import re
import string
import time
from pathlib import Path

from django.conf import settings

from classifier.imports import prototxt
from classifier.networks.manifest import ModelRejected
from skinclinic.imaging import exif

ROOT = Path(settings.BASE_DIR)
LENGTH = 2000
# A run of what the pattern knows, after something that may begin it, before something that ends no pattern.
FRAMES = ("{}\x00", "1{}\x00", "a{}\x00")
# A pattern that tries each place again needs millions of steps for these two thousand letters, as this one does. Others
# may take half its time, on whatever machine.
TRIES_EACH_PLACE = re.compile(r"[^{}]+\{")
SHORT = {
    "skinclinic/services/patient_codes.py": "a code has at most 64 letters",
    "skinclinic/frontend/vendor.py": "reads what is pinned in static/vendor",
    "skinclinic/frontend/trim.py": "reads Bootstrap's style sheet and the product's own",
}


@functools.cache
def patterns() -> dict[str, tuple[re.Pattern, set[str]]]:
    """Every pattern that is written as one text, by its place, and how it is used there."""
    found = {}
    for app in ("skinclinic", "classifier", "reader_study"):
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text()
            if "re." not in text or str(path.relative_to(ROOT)) in SHORT:
                continue
            for node in ast.walk(ast.parse(text)):
                for call in [node] if isinstance(node, ast.Call) and node.args else []:
                    if (made := _compiled(call)) is None:
                        continue
                    how = ast.unparse(call.func).removeprefix("re.")
                    ways = {how} - {"compile"}
                    if how == "compile":
                        line = text.splitlines()[call.lineno - 1]
                        name = re.match(r"\s*(\w+)\b[^=]*=", line)
                        ways = set(re.findall(rf"\b{name[1]}\.(\w+)\(", text)) if name else set()
                    found[f"{path.relative_to(ROOT)}:{call.lineno}"] = made, ways or {"search"}
    return found


def _compiled(call: ast.Call) -> re.Pattern | None:
    if not re.fullmatch(r"re\.[a-z]+", ast.unparse(call.func)):
        return None
    flags = 0
    for part in call.args[1:]:
        for one in ast.walk(part):
            flag = getattr(re, one.attr, None) if isinstance(one, ast.Attribute) else None
            flags |= flag if isinstance(flag, re.RegexFlag) else 0
    try:
        return re.compile(ast.literal_eval(call.args[0]), flags)
    except (ValueError, TypeError, re.error):
        return None


@functools.cache
def most_seconds() -> float:
    return seconds(TRIES_EACH_PLACE.search, "a" * LENGTH, enough=0) / 2


def seconds(use, subject, *, enough: float) -> float:
    """The least of three, if the first is more than ``enough``: other work may have come between."""
    taken: list[float] = []
    while len(taken) < 3 and (not taken or min(taken) > enough):
        started = time.process_time()
        use(subject)
        taken.append(time.process_time() - started)
    return min(taken)


def test_there_are_patterns():
    assert len(patterns()) > 80 and all((ROOT / path).is_file() for path in SHORT)


def test_long_runs_take_no_time(subtests):
    for place, (pattern, ways) in patterns().items():
        with subtests.test(place=place):
            assert_long_runs_take_no_time(pattern, ways)


def assert_long_runs_take_no_time(pattern: re.Pattern, ways: set[str]) -> None:
    is_text = isinstance(pattern.pattern, str)
    source = pattern.pattern if is_text else pattern.pattern.decode("latin-1")
    known = {*source} & {*string.punctuation}
    for run in sorted(known | {" ", "a", "0", "é", "가", "\n", ". ", "a-", "#\n"}):
        for frame in FRAMES:
            text = frame.format(run * (LENGTH // len(run)))
            subject = text if is_text else text.encode()
            for way in ("fullmatch", "match") if ways <= {"fullmatch", "match"} else ("search",):
                taken = seconds(getattr(pattern, way), subject, enough=most_seconds())
                assert taken <= most_seconds(), f"{way} of {run!r} in {frame!r}: {taken:.3f} s"


def test_patterns_of_several_parts_take_no_time_either():
    for run in ("#", "#\n", " ", '"', "\\", "a", "a #"):
        for end in ('\n"', "", "{", "'"):

            def parse(text: str) -> None:
                try:
                    prototxt.parse(text)
                except ModelRejected:
                    return

            assert seconds(parse, run * (LENGTH // len(run)) + end, enough=0) < 10 * most_seconds(), (
                run,
                end,
            )
    assert prototxt.parse('# one\n\n## two # three\nname: "a" # four').word("name") == "a"
    for pattern in (exif._XMP_DATE, exif._XMP_ORIENTATION):
        assert seconds(pattern.search, b"a" * 2_000_000, enough=0) < 50 * most_seconds()
