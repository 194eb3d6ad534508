"""Page parts: disease badges, states, icons, form fields, the body picture."""

import datetime
import re
from html import unescape
from pathlib import Path

from django import forms
from django.utils.formats import date_format
from django.utils.translation import override

from skinclinic.templatetags import ui
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.vocabulary.sites import SITE_KEYS
from tests.cases import each

ROOT = Path(__file__).resolve().parents[2]
SPRITE = (ROOT / "static" / ui.SPRITE).read_text()


@each("disease", DISEASES)
def test_a_badge_says_the_tier_by_word_and_icon(disease):
    html = unescape(ui.disease_badge(disease.key))
    icon, word = ui.TIERS[disease.tier]
    assert disease.name_en in html
    assert f"#{icon}" in html and f"</svg>{word}" in html


def test_a_badge_takes_the_name_of_the_page_language():
    with override("ko"):
        assert ">기저세포암종<" in ui.disease_badge("bcc")


def test_an_unknown_disease_is_shown_as_it_is_and_has_no_tier():
    html = ui.disease_badge("gone<")
    assert "gone&lt;" in html and "tier" not in html


def test_icons_of_tiers_and_states_are_in_the_sprite():
    named = {icon for icon, _word in [*ui.TIERS.values(), *ui.STATES.values()]}
    assert named <= set(re.findall(r'id="([^"]+)"', SPRITE))


def test_icons_that_scripts_name_are_in_the_sprite():
    symbols = set(re.findall(r'id="([^"]+)"', SPRITE))
    named = set()
    for script in (ROOT / "static" / "js").rglob("*.js"):
        named |= set(re.findall(r"""\bicon\(["']([^"']+)["']\)""", script.read_text()))
    assert named
    assert named <= symbols


@each(
    "score, text",
    [(None, "–"), (0.0001, "<0.001"), (0.0051, "0.005"), (0.4213, "0.421"), (0.9996, ">0.999"), (1, "1.000")],
)
def test_a_score_is_a_number_and_never_rounds_something_to_nothing(score, text):
    assert ui.score(score) == text


def test_an_icon_with_a_label_is_an_image_and_without_one_is_hidden():
    assert 'role="img" aria-label="Search"' in ui.icon("search", label="Search")
    assert 'aria-hidden="true"' in ui.icon("search")
    assert "<script>" not in ui.icon("search", label='"><script>')


class PatientForm(forms.Form):
    code = forms.CharField(help_text="A pseudonym.")
    site = forms.ChoiceField(
        choices=[("nose", "Nose")], required=False, widget=forms.Select(attrs={"class": "wide"})
    )
    sex = forms.ChoiceField(choices=[("f", "Female")], required=False, widget=forms.RadioSelect)
    consent = forms.BooleanField(required=False)
    secret = forms.CharField(required=False, widget=forms.HiddenInput)


def test_form_fields_carry_label_help_error_and_classes():
    html = str(PatientForm({}))
    assert re.search(r'<label class="form-label" for="id_code">Code</label>', html)
    assert re.search(r'<input type="text" name="code" class="form-control"[^>]*aria-invalid="true"', html)
    assert 'id="id_code_helptext">A pseudonym.' in html
    assert "This field is required." in html
    assert re.search(r'<select name="site" class="form-select wide"[^>]*>', html)
    assert html.count('class="form-check-input"') == 2
    assert re.search(r'<input type="hidden" name="secret"[^>]*>', html)
    assert not re.search(r'<[^>]*\sclass="[^"]*"[^>]*\sclass=', html)


def test_the_body_picture_has_every_site_and_no_other():
    picture = (ROOT / "templates" / "components" / "body_map_picture.html").read_text()
    assert set(re.findall(r'data-site="([^"]+)"', picture)) == set(SITE_KEYS) - {"other"}
    assert len(re.findall(r'data-site="[^"]+" data-centre="[\d.]+ [\d.]+"', picture)) == picture.count(
        "data-site="
    )
    named = re.findall(r'data-site="([^"]+)".*?{% site_name "([^"]+)".*? %}', picture)
    assert len(named) == picture.count("data-site=") and all(site == name for site, name in named)
    for site in ("ear", "cheek", "upper_arm"):
        assert {f'site_name "{site}" "{side}"' in picture for side in ("left", "right")} == {True}


def test_every_side_of_a_site_has_a_name():
    assert ui.site_name("upper_arm", "left") == "Upper arm, left"
    assert ui.site_name("nose") == "Nose"


def test_dates_are_written_in_one_place_with_the_month_as_a_word():
    moment = datetime.datetime(2026, 9, 5, 3, 46, tzinfo=datetime.UTC)
    for language, day, when in (
        ("en", "5 Sep 2026", "5 Sep 2026, 03:46"),
        ("ko", "2026년 9월 5일", "2026년 9월 5일 03:46"),
    ):
        with override(language):
            for short in ("", "SHORT_"):
                assert date_format(moment, f"{short}DATE_FORMAT") == day
                assert date_format(moment, f"{short}DATETIME_FORMAT") == when
    # By these names, or as machines read them; a time alone may be written out.
    allowed = {"DATE_FORMAT", "DATETIME_FORMAT", "c", "Y", "F", "H:i:s", "Y-m-d", "Y-m-d H:i:s"}
    for path in sorted((ROOT / "templates").rglob("*")):
        text = path.read_text() if path.is_file() else ""
        assert set(re.findall(r"""\|date[:(]["']([^"']+)""", text)) <= allowed, path.name


def test_tables_that_scroll_can_be_focused_and_what_shows_the_address_is_not_restored_by_the_browser():
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        for tag in re.findall(r'<div[^>]*class="table-wrap"[^>]*>', text):
            # The worklist's table becomes rows that wrap.
            assert path.parent.name == "worklist" or 'tabindex="0" role="region"' in tag, path.name
        for form in re.findall(r'<form[^>]*method="get".*?</form>', text, re.S):
            is_sent_by_a_change = "data-submit-on-change" in form or "hx-get" in form.partition(">")[0]
            assert not is_sent_by_a_change or 'autocomplete="off"' in form.partition(">")[0], path.name
