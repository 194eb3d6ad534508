"""The sentences of the methods on how the reading was shared out."""

from collections.abc import Iterator, Mapping

from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


def sentences(report: Mapping) -> Iterator[str]:
    """Nothing where every reader read everything once."""
    plan = report.get("plan")
    if not plan:
        return
    if plan["arms"] == "parallel":
        yield _(
            "Readers were randomised to read either without or with the model (parallel arms), balanced within the "
            "groups of readers; the arms have different readers."
        )
    elif plan["arms"] == "crossover":
        yield _(
            "Each reader read without and with the model in an order drawn by lot, balanced within the groups of "
            "readers (crossover)."
        )
    if plan["blocks"] > 1:
        yield ngettext(
            "The photos were split at random into %(n)d blocks, stratified by dataset and disease; each reader was "
            "randomised to %(each)d of them.",
            "The photos were split at random into %(n)d blocks, stratified by dataset and disease; each reader was "
            "randomised to %(each)d of them.",
            plan["blocks_a_reader"],
        ) % {"n": plan["blocks"], "each": plan["blocks_a_reader"]}
        if plan.get("keeps_patients"):
            yield _("All photos of one patient or lesion, as far as these are known, are in one block.")
    if plan["arms"] != "all" or plan["blocks"] > 1:
        yield _("The list followed a seed that was drawn when the study opened and kept with the protocol.")
    for session, found in plan["self_agreement"].items():
        if found["share"]["mean"] is None:
            continue
        yield _(
            "In the session “%(session)s” readers answered photos a second time without being told, %(photos)d times "
            "in all; on average %(share).1f %% of a reader's answers were the same. These answers count for nothing "
            "else."
        ) % {"session": session, "photos": found["photos"], "share": 100 * found["share"]["mean"]}
    if plan["periods"]:
        yield _(
            "What the period did is given beside the difference of the sessions free of it; carry-over is not."
        )
