"""How a model in use fares, in words, tables and figures; of fewer than ten no share is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from classifier.metrics.proportions import Proportion, proportion
from classifier.models import Monitor
from classifier.plots import figures
from classifier.plots.figures import Figure, counted, framed, percent
from classifier.plots.frame import WIDE, Form
from classifier.plots.over_time import Course, Value, over_time
from classifier.presenters.following_rule import endpoint_name
from classifier.services.evaluation import bundle
from classifier.services.evaluation.words import division_name, group_name, label_name
from classifier.services.following.drift import FIRST, LEAST, MEASURES
from classifier.services.following.rules import LEAST_CASES, SENSITIVITY, SPECIFICITY, Rule
from classifier.services.models.promises import percent as promised_percent
from skinclinic.models import Diagnosis
from skinclinic.templatetags.ui import in_words
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

RATES, COVERED, CALIBRATION, LENGTH, PEOPLE = "rates", "covered", "calibration", "list", "people"
DRIFT = "drift-"
KINDS = (RATES, COVERED, CALIBRATION, LENGTH, PEOPLE, *(f"{DRIFT}{measure.key}" for measure in MEASURES))


@dataclass(frozen=True)
class Share:
    """``found`` is None where there are too few to tell it."""

    count: int
    of: int
    found: Proportion | None

    @classmethod
    def of_pair(cls, pair: Sequence[int]) -> "Share":
        count, of = pair
        return cls(count, of, proportion(count, of) if of >= LEAST_CASES else None)

    @classmethod
    def heeding(cls, told: Sequence[Any] | None, pair: Sequence[int]) -> "Share":
        """Of [count, of, low, high], whose interval heeds that photos of a patient are alike; ``pair`` where it is not
        computed yet, which gives none."""
        count, of, low, high = told or (*pair, None, None)
        return cls(count, of, Proportion(count, of, count / of, low, high) if of >= LEAST_CASES else None)


def verification(told: dict[str, Any]) -> str:
    """Why the figures are of some of the lesions only."""
    (proven, flagged), (others_proven, others) = told["flagged"], told["others"]
    return _(
        "Only lesions with pathology are proven, and who is biopsied depends on what people and the model say. With a "
        "malignant disease listed %(proven)d of %(flagged)d lesions are proven, without one %(others_proven)d of "
        "%(others)d. Where the first share is greater, sensitivity here is higher and specificity lower than among all "
        "lesions (verification bias), and a malignant lesion that nobody biopsied is in none of these figures."
    ) % {"proven": proven, "flagged": flagged, "others_proven": others_proven, "others": others}


def not_counted(content: dict[str, Any]) -> list[tuple[str, int]]:
    """What is in none of the figures of proven cases, and why; without what there is none of."""
    photos, told = content["photos"], content["lesions"]
    repeated = sum(
        one["lesions"] - one["all"][1] for one in _policy(content, "benign").values()
    ) if content["proven"] else 0  # fmt: skip
    found = [
        (_("photos whose answer is under way"), photos["waiting"]),
        (_("photos whose analysis failed"), photos["failed"]),
        (_("overview photos, of which the answer does not count"), photos["aside"]["overview"]),
        (_("dermoscopic photos, of which the answer does not count"), photos["aside"]["dermoscopic"]),
        (_("photos on which there is nothing to judge"), photos["aside"]["unfit"]),
        (_("lesions without pathology"), told["answered"] - told["proven"]),
        (_("of these, with a biopsy whose result is awaited"), told["awaited"]),
        (_("proven lesions that the model answered only after the pathology"), told["late"]),
        # What was computed before has none yet.
        (_("proven lesions photographed only after the biopsy"), told.get("treated", 0)),
        (_("proven lesions of which no answer before the pathology counts"), told["aside"]),
        (_("lesions proven to be none of the 12"), told["other"]),
        (
            _("proven lesions answered in another precision than full, which count for no promise"),
            told.get("other_precision", 0) if content.get("promises") else 0,
        ),
        (_("further proven lesions of a patient who counts already in the same group"), repeated),
    ]
    return [(words, n) for words, n in found if n]


def confirmed(content: dict[str, Any]) -> list[tuple[str, int]]:
    """How the cases were proven."""
    names = {str(key): str(word) for key, word in Diagnosis.ConfirmedBy.choices}
    return [(names.get(key, _("not said")), n) for key, n in content["lesions"]["confirmed"].items()]


def shares(content: dict[str, Any], first: str) -> list[tuple[str, Share, Share]]:
    """(where actinic keratosis goes, sensitivity, specificity): ``first``, which is the rule's policy, first."""
    names = {"benign": _("actinic keratosis as benign"), "malignant": _("actinic keratosis as malignant")}
    return [
        (names[policy], Share.of_pair(found[SENSITIVITY]["all"]), Share.of_pair(found[SPECIFICITY]["all"]))
        for policy, found in sorted(
            content["proven"].get("policies", {}).items(), key=lambda one: one[0] != first
        )
    ]


def diseases(content: dict[str, Any]) -> list[tuple[str, Share, Share]]:
    """(disease, sensitivity, specificity) of those of which there is a proven case."""
    return [
        (one["key"], Share.of_pair(one["sensitivity"]), Share.of_pair(one["specificity"]))
        for one in content["proven"].get("diseases", ())
        if one["sensitivity"][1]
    ]


def missing_diseases(content: dict[str, Any]) -> list[str]:
    """The diseases of which no case is proven, in words."""
    return [
        label_name(one["key"]) for one in content["proven"].get("diseases", ()) if not one["sensitivity"][1]
    ]


def drift_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measure: its first answers, the newest period that has enough, and their distance."""
    found = []
    for measure in MEASURES:
        told = content["photos"]["drift"].get(measure.key)
        if told is None:
            continue
        newest = next(
            (at for at in reversed(range(len(told["periods"]))) if told["periods"][at]["n"] >= LEAST), None
        )
        found.append(
            {
                "name": measure.name,
                "is_share": measure.is_share,
                "first": told["first"],
                "period": "" if newest is None else content["periods"][newest],
                "newest": None if newest is None else told["periods"][newest],
            }
        )
    return found


def people_rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Before and after seeing the list: over all periods."""
    names = {"before": _("Own impression, before"), "after": _("Diagnosis kept, after")}
    found = []
    for key, name in names.items():
        shares = content["people"].get("shares", {}).get(key, {})
        total = {
            part: sum(one[part] for one in content["people"][key])
            for part in ("agrees", "listed", "compared", "not_compared")
        }
        found.append(
            {
                "name": name,
                **{
                    part: Share.heeding(shares.get(part), (total[part], total["compared"]))
                    for part in ("agrees", "listed")
                },
                "not_compared": total["not_compared"],
            }
        )
    return found


def list_told(content: dict[str, Any]) -> dict[str, Any]:
    """Mean length of the list and how often it is empty, over all periods."""
    parts = content["photos"]["list"]
    n = sum(one["n"] for one in parts)
    return {
        "n": n,
        "mean": sum(one["sum"] for one in parts) / n if n >= LEAST_CASES else None,
        "empty": Share.heeding(content["photos"].get("empty"), (sum(one["empty"] for one in parts), n)),
    }


def figure(row: Monitor, kind: str, form: Form = WIDE) -> Figure:
    """One of KINDS, with the model and the number it rests on above it."""
    made = _bare(row, kind, form)
    facts = [_("Model: %(name)s, in use since %(day)s") % {
        "name": row.model_version.name, "day": row.followed_since.date().isoformat(),
    }]  # fmt: skip
    found = framed(made, form, facts)
    if found.drawing is not None:
        found.drawing.origin, found.drawing.made = found.title, row.computed_at
    return found


def files(
    row: Monitor, kinds: Sequence[str], how: Any, form: Form, said: bundle.Said
) -> Iterator[tuple[str, bytes]]:
    """Every figure that has something to show, as each of ``kinds``."""
    makers = [("", partial(figure, row, kind, form)) for kind in KINDS]
    return bundle.files(makers, kinds, how, said)


def _bare(row: Monitor, kind: str, form: Form) -> Figure:
    content = row.figures
    if kind == RATES:
        return _rates(row, content, form)
    if kind == COVERED:
        return _covered(content, form)
    if kind == CALIBRATION:
        return _calibration(content, form)
    if kind == LENGTH:
        return _length(content, form)
    if kind == PEOPLE:
        return _people(content, form)
    return _drift(content, kind.removeprefix(DRIFT), form)


def _share_values(pairs: Sequence[Sequence[int]]) -> list[Value]:
    """Of each period [right, patients]; those with fewer than ``LEAST_CASES`` are told together with what follows,
    once there are so many, since of a small clinic nothing would be told otherwise."""
    found = []
    right = patients = periods = 0
    for count, of in pairs:
        right, patients, periods = right + count, patients + of, periods + 1
        if patients < LEAST_CASES:
            found.append(Value(None, None, None, of, ""))
            continue
        told = proportion(right, patients)
        found.append(Value(told.value, told.low, told.high, patients, counted(right, patients), periods))
        right = patients = periods = 0
    return found


def _bare_share(pair: Sequence[int]) -> Value:
    """Of photos, of which several are of one patient: without Wilson's interval, which would be too narrow."""
    count, of = pair
    if of < LEAST_CASES:
        return Value(None, None, None, of, "")
    return Value(count / of, None, None, of, f"{percent(count / of)} ({grouped(count)}/{grouped(of)})")


@dataclass(frozen=True)
class Covered:
    """Proven patients whose disease is listed; ``is_below`` what is promised. ``key``: the disease they are told of."""

    name: str
    share: Share
    is_below: bool
    key: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any], name: str = "") -> "Covered":
        share, is_below = Share.of_pair(told["covered"]), told.get("is_below", False)
        return cls(name or told.get("name", ""), share, is_below, told.get("key", ""))


@dataclass(frozen=True)
class Promise:
    """A threshold set that covers the truth: what it promises and what came of it since. ``left_out``: the proven
    lesions that do not count for it, in sentences. ``is_known``: false where nobody can tell whom it was made from."""

    whole: Covered
    promised: str
    left_out: list[str]
    is_known: bool
    diseases: list[Covered]
    groups: list[tuple[str, list[Covered]]]


def promises(content: Mapping[str, Any]) -> list[Promise]:
    """Of each such set of the model."""
    return [
        Promise(
            Covered.of(one),
            promised_percent(one["share"]),
            _left_out(one),
            # Where it was computed before, whoever it was made from counted.
            one.get("is_known", False),
            [Covered.of(told) for told in one.get("diseases", ())],
            [
                (division_name(name), [Covered.of(told, group_name(name, told["name"])) for told in groups])
                for name, groups in one.get("groups", ())
                if groups
            ],
        )
        for one in content.get("promises", ())
    ]


def not_checked() -> str:
    """As on the page of a set."""
    return _("Whether patients it was made from are among them could not be checked.")


def _left_out(told: Mapping[str, Any]) -> list[str]:
    found = []
    if n := told.get("left_out", 0):
        words = ngettext(
            "%(n)d proven lesion was left out: it is of a patient or lesion that the thresholds were made from.",
            "%(n)d proven lesions were left out: they are of patients or lesions that the thresholds were made from.",
            n,
        )
        found.append(words % {"n": n})
    if n := told.get("other_precision", 0):
        words = ngettext(
            "%(n)d proven lesion was left out: it was answered in another precision than full, of which nothing is "
            "promised.",
            "%(n)d proven lesions were left out: they were answered in another precision than full, of which nothing "
            "is promised.",
            n,
        )
        found.append(words % {"n": n})
    return found


def chosen_on(row: Monitor) -> str:
    """That the record's thresholds were chosen on cases that are counted, or that nobody can tell; "" where they were
    not, or came with the model."""
    content, chosen = row.figures, row.threshold_set
    if chosen is None or "dataset_sha256" not in chosen.details or not content["proven"]:
        return ""
    # What was computed before says nothing of it.
    told = content["proven"].get("chosen_on", {"lesions": 0, "is_known": False})
    if not told["is_known"]:
        words = _(
            "“%(name)s”: whether these thresholds were chosen on patients counted here could not be checked."
        )
        return words % {"name": in_words(chosen.name)}
    if not told["lesions"]:
        return ""
    words = ngettext(
        "“%(name)s”: these thresholds were chosen on %(n)d of the %(all)d proven lesions, or on others of the patient: "
        "shares are optimistic, except where these were left out.",
        "“%(name)s”: these thresholds were chosen on %(n)d of the %(all)d proven lesions, or on others of the "
        "patients: shares are optimistic, except where these were left out.",
        told["lesions"],
    )
    about = {"name": in_words(chosen.name), "n": told["lesions"], "all": content["lesions"]["cases"]}
    return words % about


def _covered(content: Mapping[str, Any], form: Form) -> Figure:
    beware = []
    for one in promises(content):
        said = one.left_out if one.is_known else [*one.left_out, not_checked()]
        beware += [f"“{in_words(one.whole.name)}”: {words}" for words in said]
    courses = [
        Course(
            str(in_words(one["name"])), _share_values(one["periods"]), one["share"],
            _("“%(name)s”: promised") % {"name": in_words(one["name"])},
        )
        for one in content.get("promises", ())
        if one.get("periods")
    ]  # fmt: skip
    title = _("The truth is listed, by thresholds that cover it")
    if not courses:
        return Figure(COVERED, title, None, (), (), note=_("The model has no such thresholds."))
    return over_time(
        COVERED, title, content["periods"], courses,
        y_label=_("Share"), form=form,
        note=" ".join([_(
            # xgettext:no-python-format
            "Proven patients with a disease of which something is promised, by the period of the pathology; Wilson's "
            "95 % intervals, each for one look. Periods with fewer than ten patients are told together with those that "
            "follow, once there are ten."
        ), *beware]),
    )  # fmt: skip


def _rates(row: Monitor, content: dict[str, Any], form: Form) -> Figure:
    rule = Rule.of_json(row.rule)
    found = _policy(content, rule.policy) if content["proven"] else {}
    courses = [
        Course(
            endpoint_name(name), _share_values(found[name]["periods"]),
            rule.references[name].share if name in rule.references else None,
            _("%(what)s: held against") % {"what": endpoint_name(name)},
        )
        for name in (SENSITIVITY, SPECIFICITY)
        if name in found
    ]  # fmt: skip
    return over_time(
        RATES, _("Sensitivity and specificity among proven patients"), content["periods"], courses,
        y_label=_("Share"), form=form,
        note=" ".join([_(
            # xgettext:no-python-format
            "By the period of the pathology; Wilson's 95 % intervals, each for one look. Periods with fewer than ten "
            "patients are told together with those that follow, once there are ten. Only biopsied lesions are proven."
        ), *filter(None, [chosen_on(row)])]),
    )  # fmt: skip


def _calibration(content: dict[str, Any], form: Form) -> Figure:
    found = content["proven"].get("calibration", {}).get("found")
    return figures.calibration(CALIBRATION, _("Calibration of the sum of malignant scores"), found, form)


def _length(content: dict[str, Any], form: Form) -> Figure:
    values = [
        Value(None, None, None, one["n"], "")
        if one["n"] < LEAST_CASES
        else Value(
            one["sum"] / one["n"],
            None,
            None,
            one["n"],
            f"{one['sum'] / one['n']:.2f} (n = {grouped(one['n'])})",
        )
        for one in content["photos"]["list"]
    ]
    courses = [Course(_("Mean length of the list"), values)] if values else []
    return over_time(
        LENGTH,
        _("How long the list is"),
        content["periods"],
        courses,
        y_label=_("Diseases listed"),
        top=None,
        form=form,
    )


def _people(content: dict[str, Any], form: Form) -> Figure:
    names = {"before": _("own impression"), "after": _("diagnosis kept")}
    courses = [
        Course(name, [_bare_share((one["agrees"], one["compared"])) for one in content["people"][key]])
        for key, name in names.items()
    ]
    return over_time(
        PEOPLE, _("Agreement of people with the first of the list"), content["periods"], courses,
        y_label=_("Share that agrees"), form=form,
        note=_("The diagnosis kept was made after the list was seen, and may follow it."),
    )  # fmt: skip


def _drift(content: dict[str, Any], key: str, form: Form) -> Figure:
    measure = next(one for one in MEASURES if one.key == key)
    told = content["photos"]["drift"].get(key, {"first": {}, "periods": []})
    is_share = measure.is_share
    values = [
        Value(
            one["mean"] if is_share else one["median"], None if is_share else one["low"],
            None if is_share else one["high"], one["n"], _drift_said(one, is_share),
        )
        for one in told["periods"]
    ]  # fmt: skip
    limit = told["first"].get("mean" if is_share else "median")
    courses = (
        [Course(str(measure.name), values, limit, _("the first %(n)d answers") % {"n": FIRST})]
        if values
        else []
    )
    return over_time(
        f"{DRIFT}{key}", str(measure.name), content["periods"], courses, y_label="", top=measure.top, form=form,
        note=""
        if is_share
        else _("Median and quartiles. Periods with fewer than %(least)d are not drawn.") % {"least": LEAST},
    )  # fmt: skip


def _drift_said(one: dict[str, Any], is_share: bool) -> str:
    if one["median"] is None:
        return ""
    if is_share:
        return f"{percent(one['mean'])} (n = {grouped(one['n'])})"
    return f"{one['median']:.3g} ({one['low']:.3g}–{one['high']:.3g}; n = {grouped(one['n'])})"


def _policy(content: dict[str, Any], policy: str) -> dict[str, Any]:
    return content["proven"]["policies"][policy]


def patients_said(content: dict[str, Any]) -> str:
    """Of how many cases the patient is not known."""
    n = content["lesions"]["unknown"]
    if not n:
        return ""
    words = ngettext(
        "Of %(n)d proven lesion the patient is not known; it counts as a patient of its own.",
        "Of %(n)d proven lesions the patients are not known; each counts as a patient of its own.",
        n,
    )
    return words % {"n": n}
