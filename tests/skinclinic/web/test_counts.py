"""Whole numbers in words: 1,958 photos, in every language and by every way that writes texts."""

import re
from pathlib import Path

from django.template import engines
from django.utils.translation import override

from skinclinic.archive.presenters import summary_table
from skinclinic.services import attention
from skinclinic.web.counts import NAMES, Counted, grouped, ngettext
from tests.cases import each

ROOT = Path(__file__).resolve().parents[3]
SPACE = "\N{NO-BREAK SPACE}"
# In text a bare number of these is a count; ``grouped`` writes it.
COUNT = re.compile(r"\{\{\s*[\w.]*(?:\|length|\.count|\.photos|\.patients|_count|\.total)\s*\}\}")
TEXTS = re.compile(r"\{%\s*(blocktranslate|trans)\b.*?\{%\s*end\1\s*%\}", re.S)
ATTRIBUTE = re.compile(r"<[^<>]*$")


@each("language, said", [("en", "1,958"), ("ko", "1,958"), ("pt-br", f"1{SPACE}958")])
def test_a_count_has_what_the_language_has_between_thousands(language, said):
    with override(language):
        counts = summary_table._counts({"I": 1958}, grouped), summary_table._pair((1958, 2), str)
        assert counts == (f"I {said}", "1958 (2)")
        assert grouped(1958) == said and grouped(1958000).count(said[1]) == 2
        text = ngettext("%(n)d photo", "%(n)d photos", 1958) % {"n": 1958}
        assert said in text
        django = engines["django"].from_string(
            "{% load i18n %}{% blocktranslate count n=photos %}{{ n }} A{% plural %}{{ n }} B{% endblocktranslate %}"
            " {% blocktranslate with of=all %}{{ photos }} of {{ of }}{% endblocktranslate %}"
            " {% blocktranslate asvar kept %}{{ all }} kept{% endblocktranslate %}{{ kept }} {{ photos|grouped }}"
        )
        page = django.render({"photos": 1958, "all": 1958})
        assert page.count(said) == 5, page
        jinja = engines["jinja2"].from_string(
            "{% trans n=photos %}{{ n }} photo{% pluralize n %}{{ n }} photos{% endtrans %} {{ photos|grouped }}"
        )
        assert jinja.render({"photos": 1958}).count(said) == 2


def test_one_is_still_one_and_what_is_no_count_stays():
    django = engines["django"].from_string(
        "{% load i18n %}{% blocktranslate count n=n %}{{ n }} photo{% plural %}{{ n }} photos{% endblocktranslate %}"
    )
    assert django.render({"n": 1}) == "1 photo" and django.render({"n": 0}) == "0 photos"
    assert (
        Counted("%(n)d photos, seed %(seed)d, 5 %%") % {"n": 4000, "seed": 4000}
        == "4,000 photos, seed 4000, 5 %"
    )
    assert Counted("%(n)d cases") % {"n": attention.written(1001)} == "1,000+ cases"
    assert Counted("%d of them") % 4000 == "4,000 of them" and Counted("%.1f %s") % (0.25, "h") == "0.2 h"
    assert grouped(None) is None and grouped(True) is True and grouped("1958") == "1958"


def test_no_template_writes_a_bare_count():
    wrong = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = TEXTS.sub(lambda found: " " * len(found[0]), path.read_text())
        for found in COUNT.finditer(text):
            before = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text[: found.start()], flags=re.S)
            if not ATTRIBUTE.search(before):
                wrong.append(f"{path.name}: {found[0]}")
    assert wrong == []


def test_texts_with_counts_are_translated_by_what_writes_counts():
    """``gettext`` and ``ngettext`` of ``counts.py``, where a place of a text takes a whole number."""
    wrong = []
    for app in ("skinclinic", "classifier", "reader_study"):
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text()
            taken = re.search(
                r"^from django\.utils\.translation import .*\b(gettext as _|ngettext)\b", text, re.M
            )
            counts = set(re.findall(r"%\((\w+)\)d", text)) - NAMES
            if taken and (
                "ngettext(" in text or counts & {"n", "count", "total", "photos", "patients", "most"}
            ):
                wrong.append(str(path.relative_to(ROOT)))
    assert [path for path in wrong if path != "skinclinic/web/counts.py"] == []
