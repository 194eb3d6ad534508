"""What an evaluation can vouch for: whether its models had seen its photos before. Told wherever its figures are."""

from dataclasses import dataclass

from classifier.models import Evaluation
from classifier.services.evaluation.report import leaks
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


@dataclass(frozen=True)
class Standing:
    """Of one model and one dataset: how many of the ``photos`` it had ``seen``, and whether those were left out.

    ``unknown`` names the model whose training photos nobody knows. ``knows_lesions``: the search compared lesions,
    as it did not always.
    """

    name: str
    dataset: str
    photos: int
    seen: int
    left_out: bool
    unknown: str
    knows_lesions: bool

    @property
    def is_in_doubt(self) -> bool:
        """Whether the figures may be memory, so that no test is made of them."""
        return bool(self.unknown) or not self.knows_lesions or (self.seen > 0 and not self.left_out)

    @property
    def short(self) -> str:
        """The doubt, or what was left out, in a few words; "" where there is nothing to say."""
        if self.seen and not self.left_out:
            words = {"n": self.seen, "all": self.photos}
            return _("has seen %(n)d of the %(all)d photos") % words
        if self.unknown:
            return _("whether it has seen the photos could not be checked")
        if not self.knows_lesions:
            return _("whether it has seen their lesions was not checked")
        if self.seen:
            return (
                ngettext(
                    "%(n)d photo it has seen left out", "%(n)d photos it has seen left out", self.seen
                )
                % {"n": self.seen}
            )  # fmt: skip
        return ""


def of_pair(row: Evaluation, dataset: tuple[int, str], model: tuple[int, str]) -> Standing:
    """Of one model and dataset, each a key and a name; in doubt where what was found is lost."""
    known = of(row).get((dataset[0], model[0]))
    return known or Standing(model[1], dataset[1], 0, 0, False, model[1], False)


def of(row: Evaluation) -> dict[tuple[int, int], Standing]:
    """{(dataset version, model): its standing}; {} while nobody has looked yet."""
    return {
        (one["dataset"], model["model"]): Standing(
            name=model["name"],
            dataset=one["dataset_name"],
            photos=one["photos"],
            seen=model["photos"],
            left_out=row.remove_leaks and row.state != Evaluation.State.REFUSED,
            unknown=model["unknown"],
            knows_lesions=bool(one.get("lesions")),
        )
        for one in leaks(row)
        for model in one["models"]
    }
