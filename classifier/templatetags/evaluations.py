"""Figures of evaluations in pages."""

from urllib.parse import parse_qsl, urlsplit

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from classifier.models import MonitorAlarm, ThresholdSet
from classifier.plots.figures import Figure, percent, threshold_text
from classifier.plots.svg import to_svg
from classifier.plots.tables import ENDLESS, is_number
from classifier.presenters import downloads
from classifier.services.evaluation.words import label_name
from classifier.services.following import counting
from classifier.services.models import manifest_words, promises, set_words
from skinclinic.archive.models import Source
from skinclinic.models.columns import field_of

register = template.Library()
register.filter("share", percent)
register.filter("threshold", threshold_text)
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
def as_table(figure: Figure) -> dict[str, list]:
    """{"columns": [(name, whether they are numbers)], "rows": [[(text, the same)]]}: the first rows of the table,
    numbers rounded for reading; the CSV has all of them in full."""
    numbers = [is_number(figure.rows, place) for place in range(len(figure.columns))]
    return {
        "columns": list(zip(figure.columns, numbers, strict=True)),
        "rows": [list(zip(map(_cell, row), numbers, strict=True)) for row in figure.rows[:MOST_ROWS]],
    }


@register.filter
def signed(value: float) -> str:
    """A correlation with two decimals and a true minus."""
    return f"{value:z.2f}".replace("-", "−")


def _cell(value) -> str:
    if isinstance(value, float):
        return f"{value:z.4g}".replace("-", "−", value < 0)
    return "–" if value is None else ENDLESS.get(str(value), str(value))


@register.filter
def named(key: str) -> str:
    """A label in the reader's language."""
    return label_name(key)


@register.filter
def purpose(chosen: ThresholdSet) -> str:
    """What a threshold set is for, in the current language."""
    return promises.purpose(chosen.details, chosen.purpose)


@register.filter
def cohort(chosen: ThresholdSet) -> str:
    """What a threshold set was made from, in the reader's language."""
    return set_words.cohort(chosen.details, chosen.cohort)


@register.filter
def model_words(text: object) -> SafeString | str:
    """What a model's manifest says: in the reader's language where the product knows the words, else marked as of
    another."""
    if not isinstance(text, str) or not text:
        return ""
    language = manifest_words.language_of(text)
    told = manifest_words.in_words(text)
    return told if language is None else format_html('<span lang="{}">{}</span>', language, told)


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
