"""What the first patients of a record say of the photos that come later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from classifier.metrics import sequential


@dataclass(frozen=True)
class First:
    """Of ``of`` patients so far the photos of ``hits`` are as they should be."""

    hits: int = 0
    of: int = 0

    def after(self, hit: bool) -> Self:
        """With one more patient."""
        return type(self)(self.hits + bool(hit), self.of + 1)

    def share(self, risk: float) -> float | None:
        """What later patients are held against: with a probability of at most ``risk`` it is more than the share that
        these were drawn from. None where that is too little to hold anything against."""
        found = sequential.lower_limit(self.hits, self.of, risk)
        return None if found < sequential.LEAST_REFERENCE else min(found, sequential.MOST_REFERENCE)

    def to_json(self) -> dict[str, int]:
        return {"hits": self.hits, "of": self.of}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any] | None) -> Self:
        """What stands beside the evidence of an endpoint; none: before the first patient."""
        return cls(**(kept or {}).get("first", {}))
