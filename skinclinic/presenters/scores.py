"""How a score is written, everywhere alike: a number from 0 to 1, no per cent, which would read as a probability."""


def score_text(score: float) -> str:
    """Three decimals; what would round to nothing or to all is "<0.001" or ">0.999"."""
    if 0.9995 <= score < 1:
        return ">0.999"
    return f"{score:.3f}" if score >= 0.001 else "<0.001"
