"""Languages beside English: what a machine drafted is said, and nothing of a catalogue may break a page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.formats import get_format
from django.utils.translation import override

from skinclinic.services import language_marks
from skinclinic.templatetags import ui
from skinclinic.vocabulary import languages, listed
from tests.cases import each

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parents[1] for path in (ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
CODES = [code for code, _name in settings.LANGUAGES]
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|%%|%[sd]|\{\w*\}")
TAG = re.compile(r"</?[a-z][^<>]*>")
DRAFTED = "machine-drafted, not yet read by a native clinician"


def said(entry) -> list[str]:
    texts = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
    return [text for text in texts if text]


def strange(entry) -> str:
    """What of a translation would break or change a page; '' if nothing does."""
    texts = said(entry)
    one, many = (set(PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgid_plural or entry.msgid))
    for number, text in enumerate(texts):
        found = set(PLACEHOLDER.findall(text))
        if found != many and not (number == 0 and len(texts) > 1 and found == one):
            return f"placeholders {sorted(found ^ many)}"
        if sorted(TAG.findall(text)) != sorted(TAG.findall(entry.msgid)):
            return "tags"
        if (text[0] == "\n", text[-1] == "\n") != (entry.msgid[0] == "\n", entry.msgid[-1] == "\n"):
            return "line breaks at its ends"
    return ""


@each("folder", FOLDERS)
def test_a_catalogue_breaks_no_page_and_is_compiled_as_it_stands(folder):
    """Whether it is whole is asked of Korean (test_translations); what another lacks shows in English."""
    catalogue = polib.pofile(str(folder / "LC_MESSAGES" / "django.po"))
    entries = [entry for entry in catalogue if not entry.obsolete]
    assert not [entry.msgid for entry in entries if entry.fuzzy]
    assert [(entry.msgid, strange(entry)) for entry in entries if strange(entry)] == []
    forms = int(re.match(r"nplurals=(\d);", catalogue.metadata["Plural-Forms"])[1])
    assert {len(entry.msgstr_plural) for entry in entries if entry.msgid_plural} == {forms}
    key = lambda entry: (entry.msgctxt or "", entry.msgid)  # noqa: E731
    compiled = {key(entry): said(entry) for entry in polib.mofile(str(folder / "LC_MESSAGES" / "django.mo"))}
    assert compiled == {key(entry): said(entry) for entry in entries if said(entry)}


@each("folder", FOLDERS)
def test_names_of_diagnoses_in_a_language_s_folder_are_those_of_known_ones(folder):
    known = {entry.key for entry in listed.entries()}
    code = folder.name.lower().replace("_", "-")
    assert set(listed.translated().get(code, {})) <= known


def test_numbers_have_a_point_and_dates_a_month_in_words_in_every_language():
    """Figures, tables and scores are written without regard to the language, and scripts read some numbers."""
    for code in CODES:
        assert get_format("DECIMAL_SEPARATOR", code) == "."
        assert get_format("THOUSAND_SEPARATOR", code) in (",", "\N{NO-BREAK SPACE}")
        assert set(get_format("DATETIME_FORMAT", code)) & set("MF월"), code
        assert get_format("DATE_FORMAT", code) == get_format("SHORT_DATE_FORMAT", code)


def test_may_of_a_token_is_no_month():
    with override("pt-br"):
        assert ui.day_and_time_format() == "j M Y, H:i"
        from datetime import date

        from django.utils.formats import date_format

        assert date_format(date(2026, 5, 9)) == "9 Mai 2026"


@pytest.mark.django_db
def test_every_language_has_the_main_pages_and_those_that_a_machine_drafted_say_so(client_for, admin_user):
    names = (
        "worklist",
        "upload",
        "patients",
        "archive",
        "studies",
        "help",
    )
    client = client_for(admin_user)
    for code in CODES:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = code
        with override(code):
            mark = language_marks.mark()
        assert bool(mark) == languages.is_drafted(code)
        for name in names:
            page = client.get(reverse(name)).content.decode()
            assert f'<html lang="{code}"' in page, name
            foot = re.search(r'<p class="language-mark">(.*?)</p>', page)
            assert (foot[1].partition(": ")[2] if foot else "") == mark, name
        # Each is named in itself, with what is to be known of it.
        for other, called in settings.LANGUAGES:
            assert re.search(rf'value="{other}" lang="{other}".*?<span>{re.escape(called)}', page, re.DOTALL)


@pytest.mark.django_db
def test_a_browser_that_wants_portuguese_gets_it():
    for wanted in ("pt-BR,pt;q=0.9,en;q=0.5", "pt", "pt-PT"):
        page = Client().get(reverse("login"), headers={"Accept-Language": wanted}).content.decode()
        assert '<html lang="pt-br"' in page and "Nome de usuário" in page


def test_how_much_is_translated_is_counted_against_catalogues_that_people_keep(tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    for name, texts in (("ko", ("a", "b", "c", "d")), ("xx_YY", ("a", "c", "d", "of the past"))):
        (tmp_path / name / "LC_MESSAGES").mkdir(parents=True)
        catalogue = polib.POFile()
        catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
        catalogue += [polib.POEntry(msgid=text, msgstr="x") for text in texts]
        catalogue.save_as_mofile(str(tmp_path / name / "LC_MESSAGES" / "django.mo"))
    (tmp_path / "xx_YY" / "machine-drafted").write_text("")
    # What the product no longer says counts for neither.
    assert [languages.share_translated(code) for code in ("xx-yy", "zz", "ko", "en")] == [75, 0, 100, 100]
    assert languages.drafted() == {"xx-yy"}
    assert language_marks.mark("xx-yy") == f"{DRAFTED} · 75 % translated"


def test_what_is_printed_in_a_drafted_language_says_so_at_its_foot():
    with override("pt-br"):
        assert language_marks.marked("Clinic") == f"Clinic · {language_marks.mark('pt-br')}"
        assert "rascunho feito por máquina" in language_marks.marked("")
    with override("ko"):
        assert language_marks.marked("Clinic") == "Clinic"


ASKED = """
import django, datetime
django.setup()
from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.formats import date_format, localize
from django.utils.translation import get_language_from_request, override, ngettext
from skinclinic.help import pages
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import BY_KEY

assert ["xx-yy", "Newish"] in [list(one) for one in settings.LANGUAGES]
asking = RequestFactory().get("/", headers={"Accept-Language": "xx-YY,en;q=0.3"})
assert get_language_from_request(asking) == "xx-yy"
with override("xx-yy"):
    page = render_to_string("404.html", request=None)
    assert '<html lang="xx-yy"' in page and "NOTHING HERE" in page, page
    assert "Newish: DRAFTED" in page and "Error 404" in page, page
    assert ">Newish<" in (menu := render_to_string("components/language_choices.html")), menu
    assert date_format(datetime.date(2026, 5, 9)) == "2026 May 9" and localize(0.5) == "0.5"
    assert [ngettext("%(n)s page", "%(n)s pages", n) % {"n": n} for n in (1, 2, 5)] == ["1 A", "2 B", "5 C"]
    assert pages.read("try", "xx-yy").title == "Tryish" and pages.read("upload", "xx-yy").language == "en"
assert BY_KEY["wart"].name("xx-yy") == "Wartish"
assert [term.label for term in terms.find("psorish", "xx-yy", with_others=True)] == ["Psorish"]
# Named in no other language: a machine drafted it.
assert "ish" not in terms.term(BY_KEY["wart"], "en").detail
"""
HEADER = "nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);"


def test_a_language_nobody_has_heard_of_is_a_folder(tmp_path):
    """Name, catalogue with three plural forms, dates, diseases, diagnoses, mark and a page of help: files alone."""
    for name in ("skinclinic", "locale", "docs/help"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("classifier", "reader_study", "templates", "static"):
        (tmp_path / name).symlink_to(ROOT / name)
    folder = tmp_path / "locale" / "xx_YY"
    (folder / "LC_MESSAGES").mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": HEADER}
    catalogue.append(polib.POEntry(msgid="Nothing here", msgstr="NOTHING HERE"))
    catalogue.append(polib.POEntry(msgid=DRAFTED, msgstr="DRAFTED"))
    forms = {0: "%(n)s A", 1: "%(n)s B", 2: "%(n)s C"}
    catalogue.append(polib.POEntry(msgid="%(n)s page", msgid_plural="%(n)s pages", msgstr_plural=forms))
    catalogue.save_as_mofile(str(folder / "LC_MESSAGES" / "django.mo"))
    (folder / "name").write_text("Newish\n")
    (folder / "machine-drafted").write_text("In this test.\n")
    (folder / "formats.py").write_text('DATE_FORMAT = "Y F j"\nDECIMAL_SEPARATOR = "."\n')
    (folder / "diseases.json").write_text('{"wart": "Wartish"}')
    (folder / "diagnoses.txt").write_text("Psoriasis | Psorish | psorishness\n")
    (tmp_path / "docs" / "help" / "xx_YY").mkdir()
    (tmp_path / "docs" / "help" / "xx_YY" / "try.md").write_text("# Tryish\n\nIn short.\n")
    environment = {"DJANGO_SETTINGS_MODULE": "skinclinic.settings", "SKINCLINIC_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
