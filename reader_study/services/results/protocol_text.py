"""What the protocol fixed, as sentences of the methods."""

from collections.abc import Iterator

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from classifier.services.models import promises
from reader_study.models import Study
from reader_study.services.making import operating, reference
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS


def about_truth(study: Study) -> Iterator[str]:
    """What the truths of the photos rest on."""
    found = reference.strength(study)
    total = sum(found.counts.values())
    if found.unknown == total:
        if study.recipe.get("proven_only"):
            yield _("All diagnoses were proven.")
        return
    if found.proven == total:
        yield _("All diagnoses were proven by histopathology.")
    else:
        yield _("The diagnoses rest on: %(counts)s.") % {"counts": found.in_words()}
    if text := found.panel_in_words():
        yield text


def about_thresholds(study: Study) -> Iterator[str]:
    """Which thresholds readers were shown, with their values and cohort."""
    kept = study.thresholds
    is_aided = study.sessions.filter(is_aided=True).exists()
    if kept is None:
        if is_aided:
            yield _("Which of its thresholds readers were shown was not recorded.")
        return
    if not kept["name"]:
        if is_aided:
            yield _("Readers were shown its scores without thresholds.")
        return
    said = {"name": kept["name"], "values": values_in_words(kept["values"])}
    if is_aided:
        yield _("Readers were shown its scores beside the thresholds “%(name)s” (%(values)s).") % said
    else:
        yield _("The protocol holds its thresholds “%(name)s” (%(values)s).") % said
    if kept["cohort"]:
        yield _("They were chosen on: %(cohort)s.") % {"cohort": kept["cohort"].rstrip(".")}
    if found := promises.promise(kept.get("details") or {}):
        yield found.text
        if found.nothing:
            yield found.nothing
    if text := operating.in_words(kept):
        yield text


def values_in_words(values: dict[str, float]) -> str:
    """“basal cell carcinoma 0.29, …”"""
    language = get_language() or "en"
    return ", ".join(
        f"{BY_KEY[key].name(language)} {_limit(values[key])}" for key in DISEASE_KEYS if key in values
    )


def _limit(threshold: float) -> str:
    return _("always listed") if threshold < 0 else f"{threshold:.4g}"


def about_operating_point(study: Study) -> str:
    if study.operating_point == operating.THRESHOLDS:
        return _(
            "Conclusions rest on these thresholds of another cohort; the model's first choice and the Youden "
            "threshold of these photos are sensitivity analyses."
        )
    return _("Conclusions rest on the model's first choice; its Youden threshold is a sensitivity analysis.")


def about_conduct(study: Study) -> Iterator[str]:
    """Registration, ethics approval, funding."""
    said = (
        (_("The study is registered: %(text)s."), study.registration),
        (_("Ethics approval: %(text)s."), study.ethics),
        (_("Funding: %(text)s."), study.funding),
    )
    for words, text in said:
        if text:
            yield words % {"text": text.rstrip(".")}
