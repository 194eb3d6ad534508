"""Which label a row's words for its disease mean: as a curator said, as the format or everybody means them beyond
doubt; or nobody has said."""

from collections import Counter

from skinclinic.archive import labels
from skinclinic.archive.formats.problems import TableRefused, _
from skinclinic.archive.formats.rows import Row
from skinclinic.archive.formats.words import diseases
from skinclinic.archive.formats.words.facts import is_unknown
from skinclinic.archive.formats.words.folding import fold
from skinclinic.archive.models import LABEL_LENGTH, BackgroundDisease, Import
from skinclinic.web.inputs import storable

MOST_LABELS = 10_000
MOST_ROWS_NAMED = 20
SUBTYPE_LENGTH = 80


class Labels:
    """``unknown``: words nobody has said the meaning of, with their counts; ``rows``: where they stand first."""

    def __init__(self, row: Import, own: dict[str, str]):
        self.own, self.takes_any = own, row.format == Import.Format.EXPORT
        self.mapped = {word.strip().casefold(): label for word, label in row.labels.items()}
        names = BackgroundDisease.objects.filter(clinic=row.clinic_id).values_list("name", flat=True)
        self.background = {name.casefold(): name for name in names}
        self.unknown: Counter[str] = Counter()
        self.rows: dict[str, list[int]] = {}
        self.read: dict[str, tuple[str, int]] = {}
        for word, label in row.labels.items():
            if len(label) > LABEL_LENGTH or not storable(label):
                raise TableRefused(
                    _("The name that “%(word)s” is mapped to is no text of at most %(most)s characters."),
                    word=word[:80],
                    most=LABEL_LENGTH,
                )

    def of(self, row: Row) -> tuple[str, str] | None:
        """(label, subtype) of a row, the label being "-" for one that is not wanted; None when nobody has said,
        which is counted. Of terms that lie in each other the narrowest that is known decides; it names the subtype."""
        terms = row.terms or (row.label,)
        for place, term in enumerate(terms):
            if (found := self._meaning(term)) is None:
                continue
            label, subtype = found
            is_narrower = labels.is_disease(label) and (place or self._is_mapped(term))
            if len(terms) > 1 and is_narrower and not (place == 0 and subtype):
                subtype = terms[0][:SUBTYPE_LENGTH]
            self._count(row, label)
            return label, row.subtype or subtype
        if self.takes_any and row.label:
            # A curator decided on these names where the photos come from.
            return labels.tidy(row.label), row.subtype
        self.unknown[row.label] += 1
        if len(self.unknown) > MOST_LABELS:
            raise TableRefused(
                _("There are more than %(most)s different labels. Is it the column of the diagnosis?"),
                most=f"{MOST_LABELS:,}",
            )
        if len(named := self.rows.setdefault(row.label, [])) < MOST_ROWS_NAMED:
            named.append(row.number)
        return None

    def is_new(self, label: str) -> bool:
        """Whether neither the 12 nor the clinic's vocabulary have this label."""
        return not labels.is_disease(label) and label.casefold() not in self.background

    def _count(self, row: Row, label: str) -> None:
        if row.label in self.read or len(self.read) < 1000:
            self.read[row.label] = (label, self.read.get(row.label, ("", 0))[1] + 1)

    def _is_mapped(self, term: str) -> bool:
        return bool(self.mapped.get(term.strip().casefold()))

    def _meaning(self, term: str) -> tuple[str, str] | None:
        word = term.strip().casefold()
        if label := self.mapped.get(word):
            return self.background.get(label.casefold(), label), ""
        if word in self.mapped or is_unknown(term):
            return None
        if fold(term) in self.own:
            return self.own[fold(term)], ""
        if word in self.background:
            return self.background[word], ""
        return diseases.known(term)
