"""What a candidate in the shadow has shown, in words and rows; of fewer than ten patients only counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.models import Shadow
from classifier.plots.figures import percent
from classifier.services.following.rules import LEAST_CASES
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext


@dataclass(frozen=True)
class Row:
    """One measure of both. ``difference``: candidate - model in use with its interval; ``p``: McNemar's."""

    name: str
    n: int
    now: str = "–"
    then: str = "–"
    difference: str = "–"
    p: str = ""
    discordant: str = ""


def progress(row: Shadow) -> str:
    """How far it is."""
    content = row.figures
    if not content:
        return ""
    waiting = max(content["answered"] - content["pairs"] - content["aside"] - content["unreadable"], 0)
    said = _(
        "%(pairs)d of %(answered)d photos that the model in use has answered since are computed by the candidate, "
        "too; %(waiting)d wait or show another square now, %(aside)d do not count (overview, dermoscopic, nothing to "
        "judge), %(unreadable)d could not be read."
    ) % {"waiting": waiting, **{name: content[name] for name in ("pairs", "answered", "aside", "unreadable")}}
    # What was computed before has none yet.
    n = content.get("other_precision", 0)
    if not n:
        return said
    words = ngettext(
        "%(n)d of them was answered by the model in use in another precision than full, in which the candidate "
        "computes: part of a difference may come from that.",
        "%(n)d of them were answered by the model in use in another precision than full, in which the candidate "
        "computes: part of a difference may come from that.",
        n,
    )
    return f"{said} {words % {'n': n}}"


def lists(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How alike both lists are."""
    told = content.get("lists")
    if not told:
        return []
    found = [
        (_("The same diseases listed"), _share(told["same"])),
        (_("The same disease scores highest"), _share(told["first"])),
        (_("Both list a malignant disease, or neither does"), _share(told["malignant"])),
        (_("Only the model in use lists a malignant disease"), str(told["only"][0])),
        (_("Only the candidate lists a malignant disease"), str(told["only"][1])),
        (_("Mean length of the list"), f"{told['length'][0]:.2f} → {told['length'][1]:.2f}"),
    ]
    now, then = (
        f"{grouped(count)} / {grouped(of)}" if of else _("not evaluable") for count, of in told["unlike"]
    )
    found.append((_("Photos unlike the training photos of each"), f"{now} → {then}"))
    return found


def proven(content: Mapping[str, Any]) -> list[Row]:
    """Sensitivity and specificity of both among the patients proven since, and how often the truth is listed."""
    told = content["proven"]
    ways = {"benign": _("actinic keratosis as benign"), "malignant": _("actinic keratosis as malignant")}
    names = {"sensitivity": _("Sensitivity, malignant"), "specificity": _("Specificity, malignant")}
    found = [
        _row(f"{names[name]} ({way})", told["policies"][policy][name])
        for policy, way in ways.items()
        for name in names
    ]
    return [*found, _row(_("The truth is listed"), told["listed"])]


def calibrated(content: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(measure, model in use, candidate, difference) of the sum of malignant scores; [] where there are too few."""
    told = content["proven"]["calibration"]
    if "brier" not in told:
        return []
    difference = told["difference"]
    found = [
        (
            _("Brier score (0 is best)"), f"{told['brier'][0]:.3f}", f"{told['brier'][1]:.3f}",
            "–" if difference is None else "{:+.3f} ({:+.3f} … {:+.3f})".format(*difference),
        )
    ]  # fmt: skip
    for key, name in (("slope", _("Slope (1 is best)")), ("in_the_large", _("In the large (0 is best)"))):
        now, then = (_fitted(one) for one in told[key])
        found.append((name, now, then, ""))
    return found


def _fitted(one: Sequence[float] | None) -> str:
    return _("not evaluable") if one is None else "{:.2f} ({:.2f} … {:.2f})".format(*one)


def summary(row: Shadow | None) -> list[str]:
    """For the publish dialog: what the shadow showed."""
    if row is None:
        return [_("It has not run in the shadow beside the model in use.")]
    if not row.figures or not row.figures["pairs"]:
        return [_("In the shadow since %(day)s; nothing is computed yet.") % {"day": row.started_at.date()}]
    content = row.figures
    told, cases = content["lists"], content["proven"]
    found = [
        ngettext(
            "%(n)d photo computed by both since %(day)s: the same diseases listed in %(same)s.",
            "%(n)d photos computed by both since %(day)s: the same diseases listed in %(same)s.",
            content["pairs"],
        ) % {"n": content["pairs"], "day": row.started_at.date(), "same": _share(told["same"])}
    ]  # fmt: skip
    for one in proven(content)[:2]:
        if one.p:
            found.append(f"{one.name}: {one.now} → {one.then}, {one.difference}, n = {grouped(one.n)}.")
        else:
            found.append(
                _("%(what)s: too few (%(n)d proven, of at least %(least)d).")
                % {"what": one.name, "n": one.n, "least": LEAST_CASES}
            )
    if not cases["cases"]:
        found.append(_("No lesion that both have seen is proven yet."))
    return found


def _row(name: str, told: Mapping[str, Any]) -> Row:
    counts = _("only in use %(first)d, only candidate %(second)d") % {
        "first": told["first"], "second": told["second"],
    }  # fmt: skip
    if "now" not in told:
        return Row(name, told["n"], discordant=counts)
    difference, low, high = (100 * one for one in told["difference"])
    p = f"{told['p']:.3f}" if told["p"] >= 0.001 else "< 0.001"
    return Row(
        name, told["n"], _share(told["now"]), _share(told["then"]),
        f"{difference:+.1f} ({low:+.1f} … {high:+.1f})", p, counts,
    )  # fmt: skip


def _share(told: Sequence[Any]) -> str:
    count, of, low, high = told
    if not of or low is None or high is None:
        return _("not evaluable")
    return f"{percent(count / of)} ({grouped(count)} / {grouped(of)}; {percent(low)} … {percent(high)})"
