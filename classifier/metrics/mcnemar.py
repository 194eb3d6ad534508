"""McNemar's test of two that answered the same photos. Pure."""

import scipy


def exact_p(first_only: int, second_only: int) -> float:
    """Two-sided binomial p of the photos on which one alone was right; 1 where there is none."""
    discordant = first_only + second_only
    if not discordant:
        return 1.0
    return min(1.0, 2 * float(scipy.special.bdtr(min(first_only, second_only), discordant, 0.5)))


def corrected_p(first_only: int, second_only: int) -> float | None:
    """Chi-squared with continuity correction; None without any discordant photo."""
    discordant = first_only + second_only
    if not discordant:
        return None
    return float(scipy.special.chdtrc(1, max(abs(first_only - second_only) - 1, 0) ** 2 / discordant))
