"""What a study asks besides the diagnosis, in words."""

from collections.abc import Iterator, Mapping

from reader_study.models import Study
from reader_study.models.asked import Management, NoDiagnosis, Quality
from reader_study.services.results import asked_counts
from skinclinic.vocabulary.diseases import DISEASES
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

# Keys of the reading page, by their place on the keyboard, for answers that are no diagnosis.
CODES = {
    NoDiagnosis.CANNOT_JUDGE: "KeyX",
    Management.BIOPSY: "KeyQ",
    Management.NO_BIOPSY: "KeyW",
    Management.REFER: "KeyE",
    Management.TREAT: "KeyR",
    Quality.GOOD: "KeyA",
    Quality.ACCEPTABLE: "KeyS",
    Quality.POOR: "KeyD",
}


def choice_name(key: str, language: str) -> str:
    """A diagnosis, or what stands in its place, in words."""
    names = {disease.key: disease.name(language) for disease in DISEASES}
    return names.get(key) or str(dict(NoDiagnosis.choices).get(key, key))


def offered(study: Study) -> dict[str, list[dict[str, str]]]:
    """What can be chosen on the reading page besides the diagnoses: {key, name, code, cap} of each."""
    management = [one for one in Management if one.value in study.management_choices]
    quality = list(Quality) if study.asks_quality else []
    instead = [NoDiagnosis.CANNOT_JUDGE] if study.offers_cannot_judge else []
    return {
        name: [
            {
                "key": one.value,
                "name": str(one.label),
                "code": CODES[one],
                "cap": CODES[one].removeprefix("Key"),
            }
            for one in found
        ]
        for name, found in (("management", management), ("quality", quality), ("instead", instead))
    }


def said(study: Study, about: Mapping) -> Iterator[tuple[str, list[str]]]:
    """(session, lines) of what readers said besides and left out; the last, of no session, is what was not taken."""
    for session, found in about.get("asked", {}).items():
        if lines := list(asked_counts.sentences(study, found)):
            yield session, lines
    if n := about.get("refused", 0):
        yield "", [asked_counts.refused_words(n)]


def besides(study: Study) -> Iterator[tuple[str, str]]:
    """(setting, its value) of everything that is asked besides."""
    asked = _("asked")
    if study.asks_confidence and study.confidence_optional:
        yield _("Confidence may be left out"), _("yes")
    if study.management_choices:
        names = dict(Management.choices)
        yield _("What readers would do"), ", ".join(str(names[key]) for key in study.management_choices)
    if study.asks_quality:
        yield _("Quality of the photo"), asked
    if study.offers_cannot_judge:
        yield str(NoDiagnosis.CANNOT_JUDGE.label), _("offered")
    if study.asks_known:
        yield _("Whether the reader knows the patient"), asked
    if study.asks_comment:
        yield _("A remark"), asked
    if n := study.choices_after:
        yield _("Readers can choose after"), ngettext("%d second", "%d seconds", n) % n
    if n := study.time_limit:
        yield _("A photo is over after"), ngettext("%d second", "%d seconds", n) % n
