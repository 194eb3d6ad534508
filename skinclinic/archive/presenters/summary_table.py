"""A dataset in numbers, laid out like the paper's Table 2: a column a version, (biopsy-proven) in brackets."""

from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from skinclinic.archive import labels
from skinclinic.archive.services.datasets.summary import Summary
from skinclinic.vocabulary import skin_types, tags
from skinclinic.vocabulary.diseases import DISEASE_KEYS


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


def table(columns: list[Summary]) -> Table:
    """The lines of the table for these versions."""
    language = get_language() or "en"
    lines = [
        Line(_("Photos (biopsy-proven)"), [f"{c.all.images} ({c.proven.images})" for c in columns]),
        Line(_("Patients (biopsy-proven)"), [f"{c.all.patients} ({c.proven.patients})" for c in columns]),
        Line(_("Photos of unknown patients"), [str(c.all.unknown_patient) for c in columns]),
        Line(_("Age, mean ± SD, by photo"), [_age(c) for c in columns]),
        Line(_("Age known only as a range"), [str(c.all.age_range) for c in columns]),
        Line(_("Age not known"), [str(c.all.age_unknown) for c in columns]),
        # xgettext:no-python-format
        Line(_("Male, % of known"), [_percent(c.all.male_percent) for c in columns]),
        Line(_("Sex not known"), [str(c.all.sex_unknown) for c in columns]),
        Line(_("Ethnicity"), [_counts(c.ethnicity) for c in columns]),
        Line(_("Fitzpatrick skin type"), [_counts(_named(c.skin_type)) for c in columns]),
        Line(_("Training / test"), [_sides(c.split) for c in columns]),
        Line(_("Photos of each disease"), ["" for _column in columns], is_head=True),
    ]
    lines += [
        Line(labels.name(key, language), [_pair(c.classes[key]) for c in columns]) for key in DISEASE_KEYS
    ]
    lines.append(Line(_("Others"), [_pair(c.others_total) for c in columns]))
    others = sorted({name for c in columns for name in c.others}, key=str.casefold)
    lines += [Line(f"– {name}", [_pair(c.others.get(name, (0, 0))) for c in columns]) for name in others]
    return Table([str(c.version) for c in columns], lines + _tag_lines(columns, language))


def _tag_lines(columns: list[Summary], language: str) -> list[Line]:
    """How many photos of each disease show marks and the like: where the shares differ, these give the answer away."""
    if not any(c.tags for c in columns):
        return []
    lines = [Line(_("Photos with tags, of each disease"), ["" for _column in columns], is_head=True)]
    for key in (*DISEASE_KEYS, labels.OTHERS):
        totals = [c.others_total[0] if key == labels.OTHERS else c.classes[key][0] for c in columns]
        if any(totals):
            name = _("Others") if key == labels.OTHERS else labels.name(key, language)
            cells = [_tagged(c.tags.get(key), total) for c, total in zip(columns, totals, strict=True)]
            lines.append(Line(name, cells))
    return lines


def _tagged(counted: tuple[int, dict[str, int]] | None, total: int) -> str:
    if not total:
        return "–"
    count, of_tag = counted or (0, {})
    named = ", ".join(f"{tags.name(key)} {n}" for key, n in of_tag.items())
    return f"{count} ({100 * count / total:.0f} %){f': {named}' if named else ''}"


def _pair(counts: tuple[int, int]) -> str:
    return f"{counts[0]} ({counts[1]})" if counts[0] else "0"


def _age(column: Summary) -> str:
    if column.all.age_mean is None:
        return _("not known")
    sd = f" ± {column.all.age_sd:.1f}" if column.all.age_sd is not None else ""
    return f"{column.all.age_mean:.1f}{sd}"


def _percent(value: float | None) -> str:
    return _("not known") if value is None else f"{value:.1f}"


def _named(counts: dict) -> dict[str, int]:
    return {skin_types.name(key): count for key, count in counts.items()}


def _counts(counts: dict[str, int]) -> str:
    unknown = _("not known")
    return ", ".join(f"{name or unknown} {count}" for name, count in counts.items()) or "–"


def _sides(split: dict[str, int]) -> str:
    return f"{split.get('train', 0)} / {split.get('test', 0)}" if set(split) - {""} else _("not split")
