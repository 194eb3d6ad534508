"""A language is a folder below ``locale``; no line of code names one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import BY_KEY, DISEASES

ROOT = Path(__file__).resolve().parents[3]
ASKED = """
import json
from skinclinic import settings
from skinclinic.vocabulary import terms
from skinclinic.vocabulary.diseases import BY_KEY
wart = BY_KEY["wart"]
print(json.dumps([settings.LANGUAGES, wart.names, wart.name("de-AT"), wart.name("fr"),
    [term.value for term in terms.find("warze", "de")], terms.term(wart, "en").detail,
    BY_KEY["pg"].name("de"), terms.term(BY_KEY["pg"], "de").detail]))
"""


def test_a_third_language_is_a_folder(tmp_path):
    for name in ("skinclinic", "locale"):
        shutil.copytree(ROOT / name, tmp_path / name)
    german = {disease.key: disease.name_en for disease in DISEASES} | {"wart": "Warze"}
    del german["pg"]
    (tmp_path / "locale" / "de").mkdir()
    (tmp_path / "locale" / "de" / "diseases.json").write_text(json.dumps(german))
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    languages, names, austrian, french, found, beside, untranslated, its_beside = json.loads(done.stdout)
    assert [language for language in languages if language[0] in ("en", "de", "ko")] == [
        ["en", "English"],
        ["de", "Deutsch"],
        ["ko", "한국어"],
    ]
    assert (names["en"], names["de"], names["ko"]) == ("Wart", "Warze", "사마귀")
    assert (austrian, french, found) == ("Warze", "Wart", ["wart"])
    assert beside == "Warze · 사마귀 · B07"
    assert (untranslated, its_beside) == ("Pyogenic granuloma", "화농육아종 · L98.0")


def test_every_language_names_every_disease():
    for disease in DISEASES:
        assert set(disease.names) == {code for code, _name in settings.LANGUAGES}
        assert all(disease.names.values())


def test_a_choice_shows_english_beside_another_language():
    assert terms.term(BY_KEY["wart"], "ko").detail == "Wart · B07"
    assert terms.term(BY_KEY["wart"], "en").detail == "사마귀 · B07"
