"""What manifests say, in the reader's language where the words are the product's own, else marked as of another."""

import pytest
from django.conf import settings
from django.utils.translation import override

from classifier.models import ModelVersion
from classifier.networks import weights
from classifier.networks.manifest_words import MAPS_BY_GRADIENT, MAPS_IN_CLOSED_FORM
from classifier.services.models import card_file, set_words
from classifier.services.models.manifest_words import in_words, language_of
from tests import factories, results
from tests.skinclinic.pages import url

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
KOREAN = {"headers": {"Accept-Language": "ko"}}


@pytest.fixture(scope="module")
def shipped():
    (folder,) = weights.shipped_folders()
    return weights.read_manifest(folder)


def test_all_that_pages_show_of_the_shipped_model_is_known_in_every_language(shipped):
    said = [shipped.trained_on, shipped.intended_use, shipped.limits, shipped.validated_on["text"]]
    said += [cohort["name"] for cohort in shipped.validated_on["cohorts"]]
    said += [entry["cohort"] for entry in shipped.thresholds.values()]
    said += [MAPS_BY_GRADIENT, MAPS_IN_CLOSED_FORM % {"kinds": "GeM, LayerNorm"}]
    for language in LANGUAGES:
        with override(language):
            for text in said:
                assert in_words(text) != text and language_of(text) is None, (language, text)
            assert "GeM, LayerNorm" in in_words(said[-1])
            assert set_words.cohort({}, said[-3]) == in_words(said[-3])
    with override("en"):
        assert [in_words(text) for text in said] == said and not any(map(language_of, said))


def test_foreign_words_stay_and_are_marked():
    for text in ("1006 Fotos aus Wien.", "", None, ["a"], 3):
        with override("ko"):
            assert in_words(text) == (text if isinstance(text, str) else "")
    with override("ko"):
        assert language_of("1006 Fotos aus Wien.") == ""
    with override("fr"):
        assert language_of(MAPS_BY_GRADIENT) == "en", "nobody has translated it"


@pytest.mark.django_db
def test_pages_tell_the_shipped_model_s_words_in_korean_and_mark_a_foreign_one_s(
    client_for, clinic, clinician, admin_user, shipped
):
    own = results.make_version(
        "shipped", trained_on=shipped.trained_on, limits=shipped.limits, intended_use=shipped.intended_use,
        validated_on=shipped.validated_on, maps=MAPS_BY_GRADIENT,
    )  # fmt: skip
    foreign = results.make_version(
        "foreign", trained_on="Fotos <aus> Wien", limits="Nur Wien", intended_use="Forschung", maps="Anders"
    )
    client = client_for(admin_user)
    for version, seed in ((own, 1), (foreign, 2)):
        photo = factories.make_photo(clinic, clinician, seed=seed)
        results.finished(photo, clinician, version=version)
        pages = {
            name: client.get(url(name, key), **KOREAN).content.decode()
            for name, key in (("photo", photo.pk), ("model", version.pk))
        }
        if version == own:
            for name, page in pages.items():
                assert "1006 smartphone photos" not in page and "환자 748명을 스마트폰으로" in page, name
                assert "Six of the 12" not in page and "잘못 판단합니다" in page, name
                assert "5-fold" not in page and "5겹 교차 검증" in page, name
            assert "시연용입니다" in pages["model"] and "PyTorch가 실행합니다" in pages["model"]
        else:
            for page in pages.values():
                assert '<span lang="">Fotos &lt;aus&gt; Wien</span>' in page
                assert '<span lang="">Nur Wien</span>' in page
            assert '<span lang="">Forschung</span>' in pages["model"]
            assert '<span lang="">Anders</span>' in pages["model"]
    # What leaves for other servers stays as the manifest says it.
    with override("ko"):
        assert shipped.limits in card_file.as_json(ModelVersion.objects.get(pk=own.pk), clinic).decode()
