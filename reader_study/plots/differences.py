"""The model against the readers: differences with their intervals and the margin of non-inferiority."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import Drawing
from classifier.plots.figures import Figure, Point, Series, note_words

_ROW, _LEFT, _RIGHT, _WIDTH = 24.0, 268.0, 184.0, 800.0


def forest(
    name: str,
    title: str,
    rows: Mapping[str, Mapping],
    names: Mapping[str, str],
    margin: float | None,
    primary: Sequence[str],
    why_open: str = "",
    is_first_choice: bool = True,
) -> Figure:
    """Balanced accuracy of the model (its first choice, or by thresholds of the protocol) minus the readers' mean, by
    disease. ``primary`` diseases are bold; ``why_open``: why nothing is concluded from any."""
    columns = (
        _("Disease"), _("Endpoint"), _("Model"), _("Readers' mean"), _("Difference"), _("Low"), _("High"),
        _("Difference, as read"), _("Low, as read"), _("High, as read"), _("t"),
        _("df"), _("p"), _("p after Holm"), _("Margin"), _("One-sided p of non-inferiority"), _("Note"),
    )  # fmt: skip
    table = tuple(_row(names[key], _endpoint(key, primary), found, margin) for key, found in rows.items())
    known = {key: found for key, found in rows.items() if found["difference"] is not None}
    if not known:
        why = next((found["note"] for found in rows.values() if found["note"]), "")
        return Figure(name, title, None, columns, table, note=note_words(why) or _("not evaluable"))
    ends = [value for found in known.values() for value in (*(found["ci"] or ()), found["difference"])]
    low, high = min(0.0, -(margin or 0), *ends) - 0.02, max(0.0, *ends) + 0.02
    drawing = Drawing(_WIDTH, 74 + _ROW * len(rows), title)
    axes = Axes(drawing, x=(low, high), left=_LEFT, right=_RIGHT, top=26, bottom=48)
    axes.frame(
        _("Model's first choice − readers, balanced accuracy")
        if is_first_choice
        else _("Model at the protocol's thresholds − readers, balanced accuracy"),
        "",
        ticks(low, high, 6),
        (),
        x_text=lambda value: f"{value:+g}" if value else "0",
    )
    drawing.line([(axes.x(0), axes.top), (axes.x(0), axes.foot)], "ink", 1)
    drawing.text(axes.x(0) + 5, axes.top - 8, _("model better →"), colour="muted", size=10)
    if margin is not None:
        drawing.line([(axes.x(-margin), axes.top), (axes.x(-margin), axes.foot)], "vermillion", 1.5, "dashed")
        drawing.text(
            axes.x(-margin) - 5, axes.top - 8, _("margin −%(margin)g") % {"margin": margin}, colour="vermillion",
            size=10, anchor="end",
        )  # fmt: skip
    points = []
    for place, (key, found) in enumerate(rows.items()):
        y = axes.top + _ROW * (place + 0.5)
        drawing.text(_LEFT - 10, y + 4, names[key], size=11.5, anchor="end", bold=key in primary)
        if found["difference"] is None:
            drawing.text(_LEFT + 8, y + 4, note_words(found["note"]), colour="muted", size=11)
            continue
        if found["ci"]:
            drawing.line([(axes.x(found["ci"][0]), y), (axes.x(found["ci"][1]), y)], "blue", 2)
        drawing.shape(axes.x(found["difference"]), y, "blue", "square", 4.5)
        said = difference_text(found)
        drawing.text(_WIDTH - 12, y + 4, said, size=11, anchor="end")
        points.append(Point(axes.x(found["difference"]), y, f"{names[key]}: {said}"))
    series = (Series(_("Differences"), "blue", "", tuple(points)),)
    notes = [_("Missing answers count as wrong; the table has the differences as read beside.")]
    if any(key in primary for key in rows):
        notes.append(_("Bold: primary endpoints."))
    if why_open:
        notes.append(_("Nothing is concluded: %(why)s.") % {"why": why_open})
    return Figure(name, title, drawing, columns, table, series, " ".join(notes))


def difference_text(found: Mapping) -> str:
    """A difference with its interval."""
    text = _signed(found["difference"])
    if not found["ci"]:
        return text
    low, high = map(_signed, found["ci"])
    return _("%(value)s (%(low)s to %(high)s)") % {"value": text, "low": low, "high": high}


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _endpoint(key: str, primary: Sequence[str]) -> str:
    return _("primary") if key in primary else _("secondary")


def _row(name: str, endpoint: str, found: Mapping, margin: float | None) -> tuple:
    low, high = found["ci"] or (None, None)
    test = found["non_inferiority"] or {}
    read = found.get("as_read") or {}
    read_low, read_high = read.get("ci") or (None, None)
    return (
        name, endpoint, found["ai"], found["readers_mean"], found["difference"], low, high,
        read.get("difference"), read_low, read_high, found["t"], found["df"], found["p"],
        found.get("p_holm"), margin, test.get("p"), note_words(found["note"]) if found["note"] else "",
    )  # fmt: skip
