"""The Korean catalogue is whole and fresh, and nothing a person reads is left out of it."""

import ast
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.core.management import call_command

from tests.cases import each

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "ko" / "LC_MESSAGES"
APPS = ("skinclinic", "classifier", "reader_study")
CATALOGUE = polib.pofile(str(FOLDER / "django.po"))
# The same in both languages.
NOT_KOREAN = {
    "ICD-10", "Enter", "SkinClinic API", "AUC", "Youden", "SVG", "PNG", "PDF", "CSV", "to", "bfloat16 (bf16)",
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")


def translations(entry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def key(entry) -> tuple[str, str]:
    return entry.msgctxt or "", entry.msgid


def test_every_entry_is_translated_and_none_is_a_guess_or_a_leftover():
    assert len(CATALOGUE) > 500
    assert not [entry.msgid for entry in CATALOGUE if not all(translations(entry))]
    assert not [entry.msgid for entry in CATALOGUE if entry.fuzzy or entry.obsolete]
    assert CATALOGUE.metadata["Plural-Forms"] == "nplurals=1; plural=0;"


def test_translations_are_korean():
    """Other than those of placeholders and signs alone."""
    left = set()
    for entry in CATALOGUE:
        words = re.sub(r"%\(\w+\)[.\d]*[a-z]|\{\w+\}", "", "".join(translations(entry)))
        if not re.search("[가-힣]", words) and re.search("[A-Za-z]{2,}", words):
            left.add(entry.msgid)
    assert left <= NOT_KOREAN


@each("entry", CATALOGUE)
def test_placeholders_are_those_of_the_english(entry):
    wanted = set(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
    for text in translations(entry):
        assert set(PLACEHOLDER.findall(text)) == wanted


def test_the_compiled_catalogue_says_what_the_source_says():
    compiled = {key(entry): translations(entry) for entry in polib.mofile(str(FOLDER / "django.mo"))}
    assert compiled == {key(entry): translations(entry) for entry in CATALOGUE}


@pytest.mark.gettext
def test_gettext_accepts_every_catalogue(tmp_path):
    for catalogue in (ROOT / "locale").glob("*/LC_MESSAGES/django.po"):
        command = ["msgfmt", "--check-format", "-o", str(tmp_path / "django.mo"), str(catalogue)]
        assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == "", catalogue


@pytest.mark.gettext
def test_the_catalogue_has_every_marked_string_and_no_other(tmp_path, monkeypatch, settings):
    for name in (*APPS, "templates"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "shipped"))
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [str(tmp_path / "locale")]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["ko"], no_location=True, no_wrap=True, verbosity=0)
    extracted = polib.pofile(str(tmp_path / "locale/ko/LC_MESSAGES/django.po"))
    marked = {(*key(entry), entry.msgid_plural) for entry in extracted}
    assert marked == {(*key(entry), entry.msgid_plural) for entry in CATALOGUE}


# What may stand in a template outside a translation: names, units, and keys of the keyboard.
SAME_EVERYWHERE = {"SkinClinic", "SHA", "AUC", "UTC", "px", "MB", "Esc", "Enter", "Space", "Shift"}
READ_ALOUD = {"title", "alt", "placeholder", "aria-label"}
TAG = re.compile(r"{%-?.*?%}|{{.*?}}", re.DOTALL)
PASSED_ON = re.compile(r"\b(\w+)=(\"[^\"]*\"|'[^']*')")


class BareText(HTMLParser):
    """Collects what a reader would see or hear of a template without its tags."""

    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style", "kbd"):
            self.inside.append(tag)
        self.found += [value for name, value in attrs if name in READ_ALOUD and value]

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.found.append(data)


def bare_words(source: str) -> set[str]:
    source = re.sub(r"{%\s*comment\b.*?endcomment\s*%}|{#.*?#}", "", source, flags=re.DOTALL)
    source = re.sub(
        r"{%\s*(?:block)?trans(?:late)?\b(?!\s*[\"']).*?{%\s*end(?:block)?trans(?:late)?\s*%}",
        "",
        source,
        flags=re.DOTALL,
    )
    # The blocks that fill the class of the body hold no text.
    source = re.sub(r"{%\s*block \w+_class\s*%}[\w -]*{%\s*endblock\s*%}", "", source)
    passed = [
        value[1:-1]
        for tag in re.findall(r"{%\s*(?:include|part|with|set)\b.*?%}", source, re.DOTALL)
        for name, value in PASSED_ON.findall(re.sub(r"_\((\"[^\"]*\"|'[^']*')\)", "", tag))
        if name in ("title", "text", "label", "action_label", "back_label", "help")
    ]
    parser = BareText()
    # An element may be chosen by a variable: <{{ tag }} class="…">.
    parser.feed(TAG.sub(" ", re.sub(r"(</?){{.*?}}", r"\1div", source)))
    words = re.findall(r"[A-Za-z]{2,}", " ".join([*parser.found, *passed]))
    return set(words) - SAME_EVERYWHERE


TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


@each("path", TEMPLATES)
def test_every_text_of_a_template_is_marked(path):
    assert bare_words(path.read_text()) == set()


def test_the_template_check_finds_what_is_not_marked():
    source = """{% load i18n %}<p title="Tall story">{% translate "Fine" %} Bare {{ word }}</p>
    {% include "part.html" with text="Passed" other=_("Marked") %}<script>let skipped</script>"""
    assert bare_words(source) == {"Tall", "story", "Bare", "Passed"}


MARKERS = {"_", "gettext", "gettext_lazy", "ngettext", "pgettext", "pgettext_lazy", "ngettext_lazy"}
SHOWN_ARGUMENTS = {"label", "help_text", "empty_label", "verbose_name"}
SHOWING_CALLS = {
    "success",
    "error",
    "info",
    "warning",
    "add_error",
    "ValidationError",
    "PermissionDenied",
    "Refused",
}
SOURCES = sorted(
    path
    for app in APPS
    for path in (ROOT / app).rglob("*.py")
    if not {"migrations", "management", "training"} & set(path.relative_to(ROOT).parts)
)


def called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def is_bare(node: ast.AST) -> bool:
    """Whether the node is a text with words in it that no marker surrounds."""
    if isinstance(node, ast.JoinedStr):
        return any(is_bare(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return is_bare(node.left)
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(re.search("[a-z]{2,} ", node.value))
    )


@each("path", SOURCES)
def test_texts_in_python_are_marked_where_gettext_finds_them(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            # gettext does not look into f-strings.
            inside = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
            assert not [call for call in inside if called(call) in MARKERS], f"line {node.lineno}"
        elif isinstance(node, ast.Call) and called(node) in SHOWING_CALLS | {"CharField", "ChoiceField"}:
            is_log = getattr(getattr(node.func, "value", None), "id", "") in ("log", "logger")
            shown = [] if is_log or called(node) not in SHOWING_CALLS else list(node.args)
            shown += [word.value for word in node.keywords if word.arg in SHOWN_ARGUMENTS]
            assert not [part for part in shown if is_bare(part)], f"line {node.lineno}"


SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))


@each("path", SCRIPTS)
def test_scripts_hold_no_sentences(path):
    code = re.sub(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    assert not re.findall(r"[\"'`>][A-Z][a-z]+ [a-z]+[^\"'`\n]*", code)


def test_what_marks_a_string_has_a_name_by_which_it_is_found():
    """``makemessages`` knows ``_`` and gettext's own names; under any other a string stays English without a word."""
    strange = [
        f"{path.relative_to(ROOT)}: {name.name} as {name.asname}"
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if "gettext" in name.name and name.asname not in (None, "_")
    ]
    assert strange == []
