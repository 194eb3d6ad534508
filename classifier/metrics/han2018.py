"""Figures published by others, to stand beside one's own. Facts only; the citation says where they are from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedRow:
    """Mean and SD over the authors' runs. Sensitivity and specificity are shares, as printed in per cent."""

    key: str
    auc: tuple[float, float]
    sensitivity: tuple[float, float]
    specificity: tuple[float, float]
    threshold: tuple[float, float]


@dataclass(frozen=True)
class PublishedTable:
    """A dataset's column of a published table. ``average`` is what is printed there, not recomputed."""

    name: str
    citation: str
    url: str
    rows: tuple[PublishedRow, ...]
    average: PublishedRow

    def row(self, key: str) -> PublishedRow | None:
        """The row of a disease; None where the dataset has no photo of it."""
        return next((row for row in self.rows if row.key == key), None)


def _row(key: str, *figures: float) -> PublishedRow:
    auc, auc_sd, sensitivity, sensitivity_sd, specificity, specificity_sd, threshold, threshold_sd = figures
    return PublishedRow(
        key,
        (auc, auc_sd),
        (sensitivity / 100, sensitivity_sd / 100),
        (specificity / 100, specificity_sd / 100),
        (threshold, threshold_sd),
    )


CITATION = "Han SS, Kim MS, Lim W, Park GH, Park I, Chang SE. J Invest Dermatol 2018;138:1529–1538, Table 1"
URL = "https://doi.org/10.1016/j.jid.2018.01.028"

HAN_2018 = (
    PublishedTable(
        "Asan test dataset",
        CITATION,
        URL,
        (
            _row("bcc", 0.96, 0.01, 88.8, 3.8, 91.7, 3.5, 0.0429, 0.0539),
            _row("scc", 0.83, 0.01, 82.0, 3.6, 74.3, 3.7, 0.0018, 0.0014),
            _row("iec", 0.82, 0.02, 77.7, 6.1, 74.9, 3.1, 0.003, 0.0024),
            _row("ak", 0.92, 0.01, 92.5, 2.5, 84.3, 2.5, 0.0009, 0.0002),
            _row("sk", 0.9, 0.01, 82.5, 2.1, 85.6, 3.6, 0.0172, 0.014),
            _row("mm", 0.96, 0.0, 91.0, 4.3, 90.4, 4.5, 0.0305, 0.0426),
            _row("nevus", 0.95, 0.01, 91.5, 1.9, 86.9, 1.4, 0.0166, 0.0134),
            _row("lentigo", 0.95, 0.01, 93.9, 4.1, 86.1, 2.8, 0.0039, 0.0031),
            _row("pg", 0.89, 0.02, 81.1, 4.7, 89.6, 4.0, 0.0014, 0.0019),
            _row("hemangioma", 0.89, 0.0, 81.5, 3.7, 83.6, 5.2, 0.1107, 0.0721),
            _row("df", 0.95, 0.01, 87.6, 2.8, 92.6, 1.9, 0.0227, 0.0191),
            _row("wart", 0.94, 0.01, 86.9, 2.2, 86.5, 2.6, 0.0726, 0.028),
        ),
        _row("", 0.91, 0.01, 86.4, 3.5, 85.5, 3.2, 0.027, 0.021),
    ),
    PublishedTable(
        "Edinburgh dataset",
        CITATION,
        URL,
        (
            _row("bcc", 0.9, 0.01, 80.1, 4.2, 83.0, 2.6, 0.0996, 0.0771),
            _row("scc", 0.91, 0.01, 90.2, 1.3, 80.0, 2.0, 0.0096, 0.0029),
            _row("iec", 0.83, 0.01, 87.2, 0.0, 70.5, 3.3, 0.0076, 0.0015),
            _row("ak", 0.83, 0.03, 83.0, 1.3, 76.5, 2.9, 0.0003, 0.0002),
            _row("sk", 0.89, 0.01, 79.6, 2.0, 83.3, 4.3, 0.0272, 0.0176),
            _row("mm", 0.88, 0.01, 85.5, 2.3, 80.7, 1.1, 0.0032, 0.001),
            _row("nevus", 0.94, 0.01, 88.9, 1.1, 85.4, 1.9, 0.0332, 0.0144),
            _row("pg", 0.97, 0.01, 98.6, 2.4, 89.6, 1.3, 0.0007, 0.0007),
            _row("hemangioma", 0.83, 0.02, 77.3, 5.2, 75.7, 6.4, 0.0238, 0.0194),
            _row("df", 0.9, 0.0, 81.0, 1.8, 88.0, 3.5, 0.0063, 0.0042),
        ),
        _row("", 0.89, 0.01, 85.1, 2.2, 81.3, 2.9, 0.0212, 0.0139),
    ),
)
