"""A dataset in numbers, laid out like the paper's Table 2: a column a version, (biopsy-proven) in brackets."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.services.datasets.summary import Summary
from skinclinic.vocabulary import skin_types, tags
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import grouped

Write = Callable[[int], str]


@dataclass(frozen=True)
class Line:
    name: str
    cells: list[str]
    is_head: bool = False

    @property
    def differs(self) -> bool:
        """Whether the columns do not agree."""
        return len(set(self.cells)) > 1


@dataclass(frozen=True)
class Table:
    heads: list[str]
    lines: list[Line]


def table(columns: list[Summary], write: Write = grouped) -> Table:
    """The lines of the table for these versions; ``write``: how a count is written (``str`` for files)."""
    language = get_language() or "en"
    lines = [
        Line(
            _("Photos (biopsy-proven)"),
            [f"{write(c.all.images)} ({write(c.proven.images)})" for c in columns],
        ),
        Line(
            _("Patients (biopsy-proven)"),
            [f"{write(c.all.patients)} ({write(c.proven.patients)})" for c in columns],
        ),
        Line(_("Photos of unknown patients"), [write(c.all.unknown_patient) for c in columns]),
        Line(_("Age, mean ± SD, by photo"), [_age(c) for c in columns]),
        Line(_("Age known only as a range"), [write(c.all.age_range) for c in columns]),
        Line(_("Age not known"), [write(c.all.age_unknown) for c in columns]),
        # xgettext:no-python-format
        Line(_("Male, % of known"), [_percent(c.all.male_percent) for c in columns]),
        Line(_("Sex not known"), [write(c.all.sex_unknown) for c in columns]),
        Line(_("Ethnicity"), [_counts(c.ethnicity, write) for c in columns]),
        Line(_("Fitzpatrick skin type"), [_counts(_named(c.skin_type), write) for c in columns]),
        Line(_("Training / test"), [_sides(c.split, write) for c in columns]),
        Line(_("Photos of each disease"), ["" for _column in columns], is_head=True),
    ]
    lines += [
        Line(labels.name(key, language), [_pair(c.classes[key], write) for c in columns])
        for key in DISEASE_KEYS
    ]
    lines.append(Line(_("Others"), [_pair(c.others_total, write) for c in columns]))
    others = sorted({name for c in columns for name in c.others}, key=str.casefold)
    lines += [
        Line(f"– {name}", [_pair(c.others.get(name, (0, 0)), write) for c in columns]) for name in others
    ]
    return Table([str(c.version) for c in columns], lines + _tag_lines(columns, language, write))


def _tag_lines(columns: list[Summary], language: str, write: Write) -> list[Line]:
    """How many photos of each disease show marks and the like: where the shares differ, these give the answer away."""
    if not any(c.tags for c in columns):
        return []
    lines = [Line(_("Photos with tags, of each disease"), ["" for _column in columns], is_head=True)]
    for key in (*DISEASE_KEYS, labels.OTHERS):
        totals = [c.others_total[0] if key == labels.OTHERS else c.classes[key][0] for c in columns]
        if any(totals):
            name = _("Others") if key == labels.OTHERS else labels.name(key, language)
            cells = [_tagged(c.tags.get(key), total, write) for c, total in zip(columns, totals, strict=True)]
            lines.append(Line(name, cells))
    return lines


def _tagged(counted: tuple[int, dict[str, int]] | None, total: int, write: Write) -> str:
    if not total:
        return "–"
    count, of_tag = counted or (0, {})
    named = ", ".join(f"{tags.name(key)} {write(n)}" for key, n in of_tag.items())
    return f"{write(count)} ({100 * count / total:.0f} %){f': {named}' if named else ''}"


def _pair(counts: tuple[int, int], write: Write) -> str:
    return f"{write(counts[0])} ({write(counts[1])})" if counts[0] else "0"


def _age(column: Summary) -> str:
    if column.all.age_mean is None:
        return _("not known")
    sd = f" ± {column.all.age_sd:.1f}" if column.all.age_sd is not None else ""
    return f"{column.all.age_mean:.1f}{sd}"


def _percent(value: float | None) -> str:
    return _("not known") if value is None else f"{value:.1f}"


def _named(counts: dict) -> dict[str, int]:
    return {skin_types.name(key): count for key, count in counts.items()}


def _counts(counts: dict[str, int], write: Write) -> str:
    unknown = _("not known")
    return ", ".join(f"{name or unknown} {write(count)}" for name, count in counts.items()) or "–"


def _sides(split: dict[str, int], write: Write) -> str:
    if not set(split) - {""}:
        return _("not split")
    return f"{write(split.get('train', 0))} / {write(split.get('test', 0))}"
