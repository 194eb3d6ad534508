"""The model against the readers: differences with their intervals and the margin of non-inferiority."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from classifier.metrics.notes import TOO_FEW_CASES
from classifier.plots.axes import Axes, ticks
from classifier.plots.canvas import Drawing
from classifier.plots.figures import Figure, Point, Series
from classifier.plots.frame import LABEL, SMALL, WIDE, Form, number
from classifier.plots.letters import text_width
from classifier.plots.notes import note_words

_ROW = 22.0


def forest(
    name: str,
    title: str,
    rows: Mapping[str, Mapping],
    names: Mapping[str, str],
    margin: float | None,
    primary: Sequence[str],
    why_open: str = "",
    form: Form = WIDE,
    *,
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
    page = _Page(title, form, rows, names, margin, is_first_choice)
    points = [
        Point(page.axes.x(found["difference"]), y, f"{names[key]}: {difference_text(found)}")
        for key, y in page.draw(primary).items()
        if (found := rows[key])["difference"] is not None
    ]
    series = (Series(_("Differences"), "blue", "", tuple(points)),)
    notes = [
        _("The model's first choice needs no threshold; one chosen on these photos would be optimistic.")
        if is_first_choice
        else _("The thresholds are those of the protocol, chosen on other photos."),
        # xgettext:no-python-format
        _("Lines: 95 % interval (Obuchowski-Rockette). Missing answers count as wrong."),
        _("The table has the differences as read beside."),
    ]  # fmt: skip
    if any(key in primary for key in rows):
        notes.append(_("Bold: primary endpoints; p after Holm's correction."))
    if why_open:
        notes.append(_("Nothing is concluded: %(why)s.") % {"why": why_open})
    return Figure(name, title, page.drawing, columns, table, series, " ".join(notes))


class _Page:
    """Rows of names, intervals and values: side by side, or in a column of a journal below each other."""

    def __init__(
        self,
        title: str,
        form: Form,
        rows: Mapping[str, Mapping],
        names: Mapping[str, str],
        margin: float | None,
        is_first_choice: bool,
    ):
        self.rows, self.names, self.margin, self.is_narrow = rows, names, margin, form.is_narrow
        self.is_first_choice = is_first_choice
        self._values = {key: self._said(found) for key, found in rows.items()}
        self._step = 42.0 if form.is_narrow else _ROW
        # In a column the last axis must not be pressed to a stripe.
        left = 20.0 if form.is_narrow else 24 + max(text_width(name, LABEL * 1.04) for name in names.values())
        most = max(text_width(value, LABEL) for value in self._values.values())
        right = 20.0 if form.is_narrow else most + 24
        self.drawing = Drawing(form.width, 88 + self._step * len(rows), title)
        ends = [
            value
            for found in rows.values()
            if found["difference"] is not None
            for value in (*(found["ci"] or ()), found["difference"])
        ]
        low, high = min(0.0, -(margin or 0), *ends) - 0.02, max(0.0, *ends) + 0.02
        self.axes = Axes(self.drawing, x=(low, high), left=left, right=right, top=40, bottom=48)

    def _said(self, found: Mapping) -> str:
        if found["difference"] is None:
            return note_words(found["note"])
        said = difference_text(found)
        if found["too_few"]:
            return f"{said}; {note_words(TOO_FEW_CASES)}"
        for value, words in ((found.get("p"), "p"), (found.get("p_holm"), _("Holm p"))):
            if isinstance(value, float):
                said += f"; {words} {'< 0.001' if value < 0.001 else f'= {value:.3f}'}"
        return said

    def draw(self, primary: Sequence[str]) -> dict[str, float]:
        """Draw everything; returns the height of each row's interval."""
        drawing, axes = self.drawing, self.axes
        label_text = (
            _("Model's first choice − readers, balanced accuracy")
            if self.is_first_choice
            else _("Model at the protocol's thresholds − readers, balanced accuracy")
        )
        room = 5 if self.is_narrow else 6
        axes.frame(label_text, "", ticks(*axes.x_range, room), (), x_text=_signed_tick)
        zero = axes.x(0)
        drawing.line([(zero, axes.top), (zero, axes.foot)], "ink", 1)
        drawing.text(zero + 6, axes.top - 6, _("model better →"), colour="muted", size=SMALL)
        drawing.text(zero - 6, axes.top - 6, _("← readers better"), colour="muted", size=SMALL, anchor="end")
        if self.margin is not None:
            at = axes.x(-self.margin)
            drawing.line([(at, axes.top), (at, axes.foot)], "vermillion", 1.5, "dashed")
            drawing.text(
                at, axes.top - 22, _("margin −%(margin)g") % {"margin": self.margin}, colour="vermillion",
                size=SMALL, anchor="middle",
            )  # fmt: skip
        found = {}
        for place, (key, row) in enumerate(self.rows.items()):
            top = axes.top + self._step * place
            y = top + (34 if self.is_narrow else self._step / 2)
            self._texts(key, top, y, key in primary)
            found[key] = y
            if row["difference"] is None:
                continue
            if row["ci"]:
                drawing.line([(axes.x(row["ci"][0]), y), (axes.x(row["ci"][1]), y)], "blue", 2)
            drawing.shape(axes.x(row["difference"]), y, "blue", "square", 4)
        return found

    def _texts(self, key: str, top: float, y: float, is_primary: bool) -> None:
        drawing, axes = self.drawing, self.axes
        colour = "muted" if self.rows[key]["difference"] is None else "ink"
        if self.is_narrow:
            drawing.box(12, top + 2, drawing.width - 24, 25, "surface")
            drawing.text(12, top + 13, self.names[key], size=LABEL, bold=is_primary)
            drawing.text(12, top + 25, self._values[key], size=SMALL, colour=colour)
            return
        drawing.text(axes.left - 10, y + 4, self.names[key], size=LABEL, anchor="end", bold=is_primary)
        drawing.text(axes.left + axes.width + 12, y + 4, self._values[key], size=LABEL, colour=colour)


def _signed_tick(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def difference_text(found: Mapping) -> str:
    """A difference with its interval."""
    text = _signed(found["difference"])
    if not found["ci"]:
        return text
    low, high = map(_signed, found["ci"])
    return _("%(value)s (%(low)s to %(high)s)") % {"value": text, "low": low, "high": high}


def _signed(value: float) -> str:
    return f"{value:+z.3f}".replace("-", "−")


def _endpoint(key: str, primary: Sequence[str]) -> str:
    return _("primary") if key in primary else _("secondary")


def _row(name: str, endpoint: str, found: Mapping, margin: float | None) -> tuple:
    low, high = found["ci"] or (None, None)
    test = found["non_inferiority"] or {}
    read = found.get("as_read") or {}
    read_low, read_high = read.get("ci") or (None, None)
    # With so few photos the tests find too much.
    few = found["too_few"]
    note = found["note"] or (TOO_FEW_CASES if few else "")
    return (
        name, endpoint, found["ai"], found["readers_mean"], found["difference"], low, high,
        read.get("difference"), read_low, read_high, found["t"], found["df"], None if few else found["p"],
        None if few else found.get("p_holm"), margin, None if few else test.get("p"),
        note_words(note) if note else "",
    )  # fmt: skip
