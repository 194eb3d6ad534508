"""Templates rendered by functions say the very same as Django's own: piece by piece, and whole pages."""

import re
from datetime import date
from types import SimpleNamespace

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Engine, engines
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override

from skinclinic.web.quick import loader
from skinclinic.web.quick.nodes import quicken
from tests import archive_crowd, factories, results
from tests.cases import each


class Gone(ObjectDoesNotExist):
    pass


class Row:
    name = "A & <b>"
    empty = ""

    def method(self):
        return "<called>"

    def wants(self, something):
        return something

    def delete(self):
        raise AssertionError("changed something")

    delete.alters_data = True  # type: ignore[attr-defined]

    @property
    def lacking(self):
        raise Gone

    def __str__(self):
        return "the <row>"


CONTEXT = {
    "row": Row(),
    "kind": Row,
    "safe": mark_safe("<i>"),
    "text": "<&\"'>",
    "number": 1234567,
    "half": 0.5,
    "day": date(2026, 2, 3),
    "lazy": gettext_lazy("Worklist"),
    "none": None,
    "rows": [("a", 1), ("<b>", 2), ("c", 3)],
    "words": ["x", "<y>"],
    "named": {"key": "<v>", "items": "its own", "3": "three"},
    "nothing": [],
    "codes": ["ko", "en"],
    "space": SimpleNamespace(a=SimpleNamespace(b="deep")),
}
PIECES = [
    "{{ row }} {{ row.name }} {{ row.method }} {{ row.wants }} {{ row.delete }} {{ row.lacking }}",
    "{{ row.gone }} {{ gone }} {{ gone.at.all }} {{ kind.name }} {{ none }} {{ none.x }}",
    "{{ safe }} {{ text }} {{ text|safe }} {{ number }} {{ half }} {{ day }} {{ lazy }} {{ True }} {{ 5 }}",
    "{{ named.key }} {{ named.items }} {{ named.values|length }} {{ named.3 }} {{ named.no }}"
    " {{ words.1 }} {{ words.9 }}",
    "{{ text.upper }} {{ text.0 }} {{ safe.lower }} {{ space.a.b }} {{ space.a.c }}",
    "{{ text|upper|default:'no' }} {{ gone|default:row.name }} {{ none|default_if_none:'–' }}"
    " {{ day|date:'j M Y' }}",
    "{{ half|floatformat:2 }} {{ words|join:', ' }} {{ text|add:safe }}"
    " {{ words|length|add:'-1' }} {{ text|linebreaksbr }}",
    "{% if gone %}a{% elif row.empty %}b{% elif number > 3 and not none %}c{% else %}d{% endif %}",
    "{% if row.name == 'A & <b>' or gone.x %}a{% endif %}{% if text in number %}b{% endif %}"
    "{% if none is None %}c{% endif %}",
    "{% if 'x' in words and 'z' not in words %}a{% endif %}{% if number <= text %}b{% else %}c{% endif %}",
    "{% if text|default:gone %}a{% endif %}{% if gone|upper %}b{% else %}c{% endif %}",
    "{% for word in words %}{{ forloop.counter }}/{{ forloop.revcounter }}"
    " {{ word }}{% if not forloop.last %}, {% endif %}"
    "{% empty %}none{% endfor %}{{ word }}",
    "{% for name, n in rows reversed %}{{ name }}={{ n }}"
    "{% for w in words %}{{ forloop.parentloop.counter0 }}{{ w }}"
    "{% endfor %}{% endfor %}",
    "{% for x in nothing %}{% empty %}empty"
    " {{ row }}{% endfor %}{% for x in gone %}a{% empty %}b{% endfor %}",
    "{% with a=row.name b=number %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% load i18n %}{% translate 'Worklist' %} {% translate 'None' context 'of the cases' %}"
    " {% translate '100%' %}"
    "{% translate 'Worklist' as said %}[{{ said }}] {% translate lazy %}"
    " {% translate text %}{{ _('Worklist') }}",
    "{% load i18n %}{% blocktranslate with name=row.name n=number %}{{ name }} and"
    " {{ n }}, 5%{% endblocktranslate %}"
    "{% blocktranslate count n=words|length %}{{ n }} photo{% plural %}{{ n }} photos{% endblocktranslate %}"
    "{% blocktranslate trimmed with name=row.name asvar said %}\n New name of"
    " {{ name }}\n{% endblocktranslate %}{{ said }}",
    "{% load i18n %}{% blocktranslate %}{{ number }} {{ gone }}{% endblocktranslate %}",
    "{% load i18n %}{% for code in codes %}{% language code %}{% translate 'Worklist' %}{% endlanguage %}{% endfor %}"
    "{% translate 'Worklist' %}",
    "{% url 'worklist' %} {% url 'photo' number %} {% url 'worklist' as there %}{{ there }}"
    " {% url 'gone' as no %}[{{ no }}]"
    "{% url 'photo' pk=number %}{% url 'help-page' 'start' %}",
    "{% load ui static %}{% icon 'search' %}{% icon 'search' label=text %}"
    "{% disease_name 'bcc' as d %}{{ d }}"
    "{% state_pill 'done' %}{% disease_badge 'mm' show_name=False %}{% static 'logo.svg' %}",
    "{% load ui %}{% include 'components/empty_state.html' with title=text empty_icon='search' %}{{ title }}",
    "{% autoescape off %}{{ text }}{% for w in words %}{{ w }}{% endfor %}{% url 'worklist' %}"
    "{% endautoescape %}",
    "{% load l10n %}{% localize off %}{{ number }} {{ half }}{% endlocalize %}{% firstof gone text %}{# no #}"
    "{% comment %}no{% endcomment %}{% cycle 'a' 'b' %}{% spaceless %}<p> <b>{{ text }}</b> </p>"
    "{% endspaceless %}",
]


@each("language", ["en", "ko"])
@each("piece", PIECES)
def test_a_piece_says_what_django_says(piece, language):
    engine: Engine = engines["django"].engine
    plain, quick = (engine.from_string(piece) for _time in range(2))
    quicken(quick)
    with override(language):
        expected = plain.render(Context(dict(CONTEXT)))
        # Once more, with what is known by now.
        assert [quick.render(Context(dict(CONTEXT))) for _time in range(2)] == [expected, expected]


def test_errors_are_djangos():
    engine: Engine = engines["django"].engine
    for piece in ("{% for a, b in words %}{% endfor %}", "{% url 'gone' %}", "{% include 'gone.html' %}"):
        raised = []
        for made in (engine.from_string(piece), engine.from_string(piece)):
            if raised:
                quicken(made)
            with pytest.raises(Exception) as caught:
                made.render(Context({"words": ["x"]}))
            raised.append((caught.type, str(caught.value)))
        assert raised[0] == raised[1]


def test_an_error_leaves_the_context_as_it_was():
    engine: Engine = engines["django"].engine
    made = engine.from_string(
        "{% with a=1 %}{% for x in words %}{% include 'gone.html' %}{% endfor %}{% endwith %}"
    )
    quicken(made)
    context = Context({"words": ["x"]})
    levels = len(context.dicts)
    with pytest.raises(Exception, match=r"gone\.html"):
        made.render(context)
    assert len(context.dicts) == levels


def as_django(monkeypatch) -> None:
    """From here on templates are read anew and rendered as Django does it."""
    monkeypatch.setattr(loader, "quicken", lambda template: None)
    for one in engines["django"].engine.template_loaders:
        one.reset()


# What is new with every answer.
NEW = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|data-csrf="\w+"|began=[\d.]+|value="20\d\d-[^"]+\+00:00"'
)


def test_whole_pages_are_the_same(monkeypatch, clinic, clinician, curator, client_for):
    photo = factories.make_photo(clinic, clinician)
    results.finished(photo, clinician)
    archive_crowd.fill(clinic, curator, 9)
    client = client_for(curator)
    client.cookies["django_language"] = "ko"
    paths = [
        reverse("worklist") + "?show=all",
        reverse("photo", args=[photo.pk]),
        reverse("archive"),
    ]

    def texts() -> list[str]:
        return [NEW.sub("", client.get(path).content.decode()) for path in paths]

    quick = texts()
    as_django(monkeypatch)
    try:
        assert texts() == quick
    finally:
        monkeypatch.undo()
        for one in engines["django"].engine.template_loaders:
            one.reset()
