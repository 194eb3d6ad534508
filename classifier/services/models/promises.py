"""What a threshold set that covers the truth promises, for whom, from how many, and what not: in a clinician's words.

It knows neither rows nor requests; ``details`` are those of a set (services.models.coverage says what is kept).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

COVERAGE, SENSITIVITY = "coverage", "sensitivity"
PATIENT, LESION, PHOTO = "patient", "lesion", "photo"


@dataclass(frozen=True)
class Promised:
    """A disease of which something is promised: from how many, and what share of new ones that will cover."""

    key: str
    name: str
    n: int
    span: str


@dataclass(frozen=True)
class Unpromised:
    """A disease of which nothing is promised, because there were so few: ``n``, in words ``units``."""

    key: str
    name: str
    n: int
    units: str

    @property
    def short(self) -> str:
        """For the disease's line: “nothing promised: 7 patients”."""
        return _("nothing promised: %(units)s") % {"units": self.units}


@dataclass(frozen=True)
class Promise:
    """``text``: the promise as a sentence. ``rests_on``: how patients were told apart. ``limits``: what it does not
    promise. ``warnings``: what speaks against believing it. ``instead``: how those of which nothing is promised are
    listed."""

    share: str
    text: str
    units_head: str
    rests_on: tuple[str, ...]
    promised: tuple[Promised, ...]
    unpromised: tuple[Unpromised, ...]
    limits: tuple[str, ...]
    warnings: tuple[str, ...]
    instead: str

    @property
    def short_of(self) -> dict[str, str]:
        """What stands at each disease of which nothing is promised."""
        return {one.key: one.short for one in self.unpromised}

    @property
    def nothing(self) -> str:
        """The diseases of which nothing is promised, as a sentence; "" where there are none."""
        if not self.unpromised:
            return ""
        names = ", ".join(f"{one.name} ({grouped(one.units)})" for one in self.unpromised)
        return _("Nothing is promised of %(names)s. %(instead)s") % {"names": names, "instead": self.instead}

    @property
    def whole(self) -> str:
        """All of it but the table in one paragraph, for print."""
        parts = (self.text, self.nothing, *self.warnings, *self.limits[:2])
        return " ".join(part for part in parts if part)


def promise(details: Mapping) -> Promise | None:
    """What a set with these details promises; None of sets of another kind."""
    kept = details.get(COVERAGE)
    if not isinstance(kept, Mapping):
        return None
    unit, share = kept["unit"], percent(kept["share"])
    diseases = [(key, kept["diseases"][key]) for key in DISEASE_KEYS if key in kept["diseases"]]
    return Promise(
        share=share,
        text=_text(unit) % {"dataset": details.get("dataset", ""), "share": share},
        units_head={PATIENT: _("Patients"), LESION: _("Lesions")}.get(unit, _("Photos")),
        rests_on=tuple(_rests_on(kept)),
        promised=tuple(
            Promised(key, spoken.disease(key), one["units"], _span(one))
            for key, one in diseases
            if "rank" in one
        ),
        unpromised=tuple(
            Unpromised(key, spoken.disease(key), one["units"], counted(unit, one["units"]))
            for key, one in diseases
            if "rank" not in one
        ),
        limits=tuple(_limits()),
        warnings=tuple(_warnings(kept)),
        instead=_instead(kept),
    )


def purpose(details: Mapping, stored: str) -> str:
    """What a set is for, in the current language; ``stored`` is what it says itself, in English."""
    rule, wanted = details.get("rule"), details.get("wanted")
    if not isinstance(wanted, int | float):
        return _(stored) if stored else ""
    if rule == COVERAGE:
        return _("Covers the truth in at least %(share)s of patients like these") % {"share": percent(wanted)}
    if rule == SENSITIVITY:
        return _("Sensitivity of at least %(share)s for each disease") % {"share": percent(wanted)}
    return _(stored) if stored else ""


def percent(share: float) -> str:
    """A wanted share: 95 %, 97.5 %."""
    return f"{100 * share:.4g} %"


def counted(unit: str, n: int) -> str:
    """“7 patients”."""
    if unit == PATIENT:
        words = ngettext("%(n)d patient", "%(n)d patients", n)
    elif unit == LESION:
        words = ngettext("%(n)d lesion", "%(n)d lesions", n)
    else:
        words = ngettext("%(n)d photo", "%(n)d photos", n)
    return words % {"n": n}


def _text(unit: str) -> str:
    if unit == PATIENT:
        return _(
            "When a new patient, like those of %(dataset)s, has a disease of which something is promised, it is listed "
            "with every photo of it in at least %(share)s of such patients."
        )
    if unit == LESION:
        return _(
            "When a new lesion, like those of %(dataset)s, is a disease of which something is promised, it is listed "
            "with every photo of it in at least %(share)s of such lesions."
        )
    return _(
        "When a new photo, like those of %(dataset)s, shows a disease of which something is promised, it is listed in "
        "at least %(share)s of such photos."
    )


def _rests_on(kept: Mapping) -> Iterator[str]:
    unit, unknown = kept["unit"], kept["unknown"]
    if unit == PATIENT:
        yield _("A patient counts once for a disease, with the photo of it that the model scored lowest.")
        if unknown:
            yield ngettext(
                "Of %(n)d lesion or photo the patient is not known; it counts as a patient of its own.",
                "Of %(n)d lesions or photos the patient is not known; each counts as a patient of its own.",
                unknown,
            ) % {"n": unknown}
    elif unit == LESION:
        yield _(
            "Which lesions are of the same patient is not known, so lesions are counted, and the promise is for a "
            "lesion, not for a patient."
        )
    else:
        yield _(
            "Which photos are of the same patient is not known, so photos are counted, and the promise is for a "
            "photo, not for a patient."
        )
    if left_out := kept["left_out"]:
        yield ngettext(
            "%(n)d photo was left out: since the evaluation it was withdrawn or deleted, or its patient does not "
            "consent any more.",
            "%(n)d photos were left out: since the evaluation they were withdrawn or deleted, or their patients do not "
            "consent any more.",
            left_out,
        ) % {"n": left_out}
    yield _(
        "“Covered” is the share of new ones that will be: with as many as there were here it lies in this range nine "
        "times out of ten, at least %(share)s on average."
    ) % {"share": percent(kept["share"])}


def _limits() -> Iterator[str]:
    yield _(
        "It does not hold for patients unlike these: from another clinic, with another camera, other skin types, "
        "another way of being referred, or more photos of a disease than they had."
    )
    yield _(
        "It does not hold within every group: of one age, sex, skin type or site fewer may be covered, of another "
        "more. “Pitfalls of Conformal Predictions for Medical Image Classification” (arXiv 2506.18162) shows both on "
        "photos of skin."
    )
    yield _("It does not say that a listed disease is likely. The longer a list, the more it covers.")
    yield _("It says nothing of a lesion that is none of the 12.")


def _warnings(kept: Mapping) -> Iterator[str]:
    if kept["doubt"]:
        yield _(
            "Whether the model had learnt from these photos is not certain. If it had, nothing is promised."
        )
    if kept["synthetic"]:
        yield _("Drawings are among these photos (%(names)s): of patients nothing is promised.") % {
            "names": ", ".join(kept["synthetic"])
        }


def _span(one: Mapping) -> str:
    return f"{100 * one['low']:.0f}–{100 * one['high']:.0f} %"


def _instead(kept: Mapping) -> str:
    said = {"least": counted(kept["unit"], kept["least"])}
    # The same for all of them: the model's first set, or none.
    if name := next((one["instead"] for one in kept["diseases"].values() if one.get("instead")), ""):
        said["name"] = _(name)
        return _("%(least)s a disease are needed; these are listed by the thresholds “%(name)s”.") % said
    return _("%(least)s a disease are needed; these are always listed.") % said
