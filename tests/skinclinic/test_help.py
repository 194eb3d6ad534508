"""Help says what the product says: its quoted names, its links, and that every page leads to one."""

import re
import unicodedata
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.urls import reverse

from skinclinic.help import contents, pages, pictures, places
from skinclinic.vocabulary import languages
from tests.browser.help_pictures import MOST_BYTES, PICTURES
from tests.cases import each
from tests.skinclinic.test_architecture import is_api, patterns

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = sorted(folder.name for folder in pages.FOLDER.iterdir() if folder.is_dir())
# {language: {English: its translations, of which there are several where they depend on the place}}
CATALOGUES: dict[str, dict[str, set[str]]] = {}
for path in (ROOT / "locale").glob("*/LC_MESSAGES/django.po"):
    for entry in polib.pofile(str(path)):
        CATALOGUES.setdefault(path.parts[-3], {}).setdefault(entry.msgid, set()).add(entry.msgstr)
ALL_NAMES = [pattern.name for pattern, route in patterns() if not is_api(pattern, route)]
# Their subject has no page of its own in the product.
FROM_NOWHERE = {"consent", "backup", "upgrading"}


def source(name: str, language: str) -> str:
    return (pages.FOLDER / language / f"{name}.md").read_text(encoding="utf-8")


def is_drafted(folder: str) -> bool:
    return languages.is_drafted(folder.lower().replace("_", "-"))


def quoted(text: str) -> set[str]:
    """What stands in bold, which is what the product calls its buttons, fields and pages."""
    return set(re.findall(r"\*\*([^*]+)\*\*", text))


def test_every_page_is_in_every_language_and_no_other():
    """One that a machine drafts may lack some: they are shown in English."""
    assert {"en", "ko"} <= set(LANGUAGES)
    for language in LANGUAGES:
        found = {path.stem for path in (pages.FOLDER / language).iterdir()}
        assert found <= set(contents.ALL), language
        assert found == set(contents.ALL) or is_drafted(language), language
    assert len(contents.ALL) == len(set(contents.ALL))


@each("name", contents.ALL)
def test_names_in_bold_are_the_products_own_strings(name):
    known, said = CATALOGUES["ko"], quoted(source(name, "en"))
    assert said <= set(known), said - set(known)
    for language in set(LANGUAGES) - {"en"}:
        if is_drafted(language) and not (pages.FOLDER / language / f"{name}.md").is_file():
            continue
        translated, found = CATALOGUES[language], quoted(source(name, language))
        assert [word for word in said if not translated[word] & found] == [], language
        assert found <= set().union(*(translated[word] for word in said)), language


@each("name", contents.ALL)
def test_pages_have_a_title_a_summary_and_links_that_lead_somewhere(name):
    for language in LANGUAGES:
        if is_drafted(language) and not (pages.FOLDER / language / f"{name}.md").is_file():
            continue
        text, page = source(name, language), pages.read(name, language)
        assert text.startswith(f"# {page.title}\n\n{page.summary[:20]}")
        assert set(re.findall(r"\]\(([a-z-]+)\.md\)", text)) <= set(contents.ALL) - {name}
        assert set(re.findall(r"static/help/(\w+)/", text)) <= {language}
        # What was meant as bold, and is none beside a Korean particle, shows its asterisks.
        assert "**" not in page.text


def test_every_address_has_a_page_and_every_page_an_address():
    assert [name for name in ALL_NAMES if not places.page_for(name)] == []
    assert set(places.PLACES.values()) <= set(contents.ALL)
    used = {places.page_for(name) for name in ALL_NAMES}
    assert set(contents.ALL) - used == FROM_NOWHERE
    names = set(ALL_NAMES)
    idle = {start for start in places.PLACES if not any(name.startswith(start) for name in names)}
    assert idle == set()


def test_what_a_page_says_is_shown_as_text_and_pictures_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "odd.md").write_text(
        "# Odd\n\n<script>alert(1)</script> [run](javascript:alert(1)) [on](upload.md)\n\n"
        "![there](../../../static/help/en/there.webp)\n\n![gone](../../../static/help/en/gone.webp)\n"
    )
    page = pages.read("odd", "ko")
    assert (page.language, page.title) == ("en", "Odd")
    text = pages.html(page, lambda name: f"/help/{name}/", lambda name: "/x.webp" if "there" in name else "")
    assert "<script" not in text and 'javascript:alert(1)"' not in text
    assert '<a href="/help/upload/">' in text
    assert text.count("<img") == 1 and 'alt="there"' in text


def test_search_needs_every_word_and_puts_titles_first():
    names = [hit.page.name for hit in pages.search("biopsy", contents.ALL, "en")]
    assert names[0] == "worklist" and "decide" not in names[:1]
    assert pages.search("biopsy zebra", contents.ALL, "en") == []
    assert pages.search("  ", contents.ALL, "en") == []
    # By what others call it, also as some keyboards write Hangul; that is not shown.
    for words, language, name in (
        ("forgot password", "en", "account"), ("임계값", "ko", "thresholds"),
        ("tamanho da amostra", "pt-br", "study-making"),
        (unicodedata.normalize("NFD", "표본 크기"), "ko", "study-making"), ("SMART", "en", "standards"),
        ("upgrading", "en", "upgrading"), ("washout", "en", "study-making"), ("SSO", "en", "single-sign-on"),
        ("single sign-on", "en", "single-sign-on"), ("업그레이드", "ko", "upgrading"), ("휴지기", "ko", "study-making"),
        ("통합 로그인", "ko", "single-sign-on"), ("washout", "pt-br", "study-making"),
    ):  # fmt: skip
        assert [hit.page.name for hit in pages.search(words, contents.ALL, language)][:1] == [name], words
    assert "also:" not in "".join(pages.html(pages.read(name, "en"), str, str) for name in contents.ALL)
    (hit,) = [
        hit for hit in pages.search("조직검사 편지함", contents.ALL, "ko") if hit.page.name == "worklist"
    ]
    assert hit.found in ("조직검사", "편지함")


@pytest.mark.django_db
def test_help_is_open_before_signing_in_in_both_languages():
    for language, title in (("en", "Read the result"), ("ko", "결과 읽기")):
        client = Client(headers={"Accept-Language": language})
        assert title in client.get("/help/").content.decode()
        page = client.get("/help/result/").content.decode()
        assert f"<h1>{title}</h1>" in page and f'lang="{language}"' in page
        assert 'href="/help/thresholds/"' in page
    found = Client().get("/help/?q=%3Cb%3E").content.decode()
    assert "<b>" not in found and "No page has all these words" in found
    assert Client().get("/help/nothing/").status_code == 404


@pytest.mark.django_db
def test_the_question_mark_leads_to_the_page_for_this_page():
    page = Client().get(reverse("login")).content.decode()
    assert 'href="/help/account/" data-help="account"' in page


def test_pictures_are_small_and_each_is_on_a_page():
    named = {
        found
        for language in LANGUAGES
        for name in contents.ALL
        if (pages.FOLDER / language / f"{name}.md").is_file()
        for found in re.findall(r"static/help/(\w+/[\w-]+\.webp)", source(name, language))
    }
    files = {str(path.relative_to(pictures.FOLDER)): path for path in pictures.FOLDER.rglob("*.webp")}
    assert set(files) <= named
    assert {name.partition("/")[2].removesuffix(".webp") for name in named} == set(PICTURES)
    sizes = [path.stat().st_size for path in files.values()]
    assert max(sizes, default=0) <= MOST_BYTES
    assert sum(sizes) <= 1_500_000
