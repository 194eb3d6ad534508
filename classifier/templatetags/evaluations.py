"""Figures of evaluations in pages."""

from urllib.parse import parse_qsl, urlsplit

from django import template
from django.utils.safestring import mark_safe

from classifier.models import MonitorAlarm, ThresholdSet
from classifier.plots.figures import Figure, percent, threshold_text
from classifier.plots.svg import to_svg
from classifier.presenters import downloads
from classifier.presenters.differential import limit_text
from classifier.services.evaluation.words import label_name
from classifier.services.following import counting
from classifier.services.models import promises
from skinclinic.archive.models import Source
from skinclinic.models.columns import field_of

register = template.Library()
register.filter("share", percent)
register.filter("threshold", threshold_text)
register.filter("limit", limit_text)
MOST_ROWS = 400


@register.simple_tag
def figure_svg(figure: Figure) -> str:
    """The drawing in the page's own colours; every text in it was escaped when it was written."""
    if figure.drawing is None:
        return ""
    if figure.phone is None or figure.phone.drawing is None:
        return mark_safe(to_svg(figure.drawing))
    return mark_safe(to_svg(figure.drawing, "fig fig-roomy") + to_svg(figure.phone.drawing, "fig fig-phone"))


@register.filter
def points_of(figure: Figure) -> list[dict]:
    """What the page's script reads out: a list a series of [text, x, y, and both on a phone]."""
    forms = [figure, *([figure.phone] if figure.phone else [])]
    return [
        {
            "name": same[0].name,
            "isCurve": same[0].is_curve,
            "points": [
                [at[0].text, *(round(value, 1) for point in at for value in (point.x, point.y))]
                for at in zip(*(one.points for one in same), strict=True)
            ],
        }
        for same in zip(*(one.series for one in forms), strict=True)
        if same[0].points
    ]


@register.filter
def shown_rows(figure: Figure) -> list[list[str]]:
    """The first rows of the table, numbers rounded for reading; the CSV has all of them in full."""
    return [[_cell(value) for value in row] for row in figure.rows[:MOST_ROWS]]


def _cell(value) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@register.filter
def named(key: str) -> str:
    """A label in the reader's language."""
    return label_name(key)


@register.filter
def purpose(chosen: ThresholdSet) -> str:
    """What a threshold set is for, in the current language."""
    return promises.purpose(chosen.details, chosen.purpose)


@register.filter
def counted_as(n: int, unit: str) -> str:
    """“7 patients”: ``n`` of what is counted."""
    return promises.counted(unit, n)


@register.filter
def alarm_words(alarm: MonitorAlarm) -> str:
    """What an alarm says."""
    return counting.in_words(alarm)


@register.filter
def p_value(value: float) -> str:
    """Three decimals, or that it is smaller."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


@register.filter
def provenance_name(name: str) -> str:
    """What a source should say of itself, in words."""
    return str(field_of(Source, name).verbose_name)


@register.simple_tag
def download_choices() -> dict:
    """What a figure can be downloaded as."""
    return downloads.choices()


@register.filter
def path_of(url: str) -> str:
    """The address without its question mark part."""
    return urlsplit(url).path


@register.filter
def pairs_of(url: str) -> list[tuple[str, str]]:
    """What stands behind the question mark, for the hidden fields of a form."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)
