"""A person's own differential: what else it may be, in ranks 2 to 5, and how sure the person is of each."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _

from skinclinic.vocabulary import listed
from skinclinic.vocabulary.diseases import BY_KEY

# Ranks 2 to 5.
MOST = 4
CONFIDENCES = (
    ("low", pgettext_lazy("how sure", "low")),
    ("medium", pgettext_lazy("how sure", "medium")),
    ("high", pgettext_lazy("how sure", "high")),
)
CONFIDENCE_KEYS = tuple(key for key, _word in CONFIDENCES)


@dataclass(frozen=True)
class Ranked:
    """One diagnosis, named as ``Diagnosis`` names it."""

    disease: str = ""
    icd10: str = ""
    text: str = ""
    confidence: str = ""

    def names(self, other: Any) -> bool:
        """Whether the other (a Ranked, a Diagnosis) is the same diagnosis, however sure."""
        if self.disease or other.disease:
            return self.disease == other.disease
        return (self.icd10, self.text) == (other.icd10, other.text)

    @property
    def said(self) -> str:
        language = get_language() or "en"
        if self.disease:
            return BY_KEY[self.disease].name(language)
        words = listed.in_words(self.icd10, self.text, language)
        return " ".join(part for part in (self.icd10, words) if part)


@dataclass(frozen=True)
class Differential:
    """``confidence``: in the first diagnosis; ``others``: what else it may be, likeliest first."""

    confidence: str = ""
    others: tuple[Ranked, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.confidence or self.others)

    @classmethod
    def of_json(cls, data: Mapping[str, Any] | None) -> Self:
        data = data or {}
        return cls(data.get("confidence", ""), tuple(Ranked(**one) for one in data.get("others", ())))

    def to_json(self) -> dict[str, Any]:
        if not self:
            return {}
        return {"confidence": self.confidence, "others": [asdict(one) for one in self.others]}

    def beside(self, first: Any) -> Self:
        """Without the diagnosis that is the first now."""
        return type(self)(self.confidence, tuple(one for one in self.others if not one.names(first)))

    @property
    def said(self) -> str:
        """ "confidence high · 2. Squamous cell carcinoma (low) · 3. Actinic keratosis"; "" for nothing."""
        words = {key: str(word) for key, word in CONFIDENCES}
        parts = [_("confidence: %(word)s") % {"word": words[self.confidence]}] if self.confidence else []
        for rank, one in enumerate(self.others, 2):
            sure = f" ({words[one.confidence]})" if one.confidence else ""
            parts.append(f"{rank}. {one.said}{sure}")
        return " · ".join(parts)


def twice(others: Iterable[Ranked]) -> Ranked | None:
    """The first that is named a second time."""
    known: list[Ranked] = []
    for one in others:
        if any(one.names(before) for before in known):
            return one
        known.append(one)
    return None
