"""What the design adds to a study's results: who read what, readers against themselves, the periods of a crossover."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from classifier.metrics.plain import plain
from reader_study.models import Answer, Reader, Reading, Study, StudyImage
from reader_study.services.making import arms, designs
from reader_study.statistics.coded import parts
from reader_study.statistics.periods import periods
from reader_study.statistics.repeats import Twice, agreement_with_self
from reader_study.statistics.tables import StudyTables

CROSSOVER = designs.Arms.CROSSOVER


def of_study(study: Study, tables: StudyTables) -> dict[str, Any]:
    """For the report; empty for a study in which everybody reads everything once."""
    design = designs.of(study)
    if design.seed is None:
        return {}
    allocated = {
        place.reader.code: place
        for place in study.allocations.select_related("reader").filter(reader__withdrawn_at=None)
    }
    twice = list(_twice(study))
    orders = {code: tuple(place.arm) for code, place in allocated.items()}
    return plain(
        {
            "arms": str(design.arms),
            "blocks": design.blocks,
            "blocks_a_reader": design.blocks_a_reader,
            "repeats": design.repeats,
            "keeps_patients": design.keeps_patients,
            "readers": {
                code: {"place": place.place, "arm": place.arm, "blocks": place.blocks}
                for code, place in allocated.items()
            },
            "table": [asdict(one) for one in arms.table(study)],
            "twice": [asdict(one) for one in twice],
            "self_agreement": agreement_with_self(twice),
            "periods": {
                part.name: found
                for part in parts(tables)
                if design.arms == CROSSOVER and (found := periods(part, orders)) is not None
            },
        }
    )


def _twice(study: Study) -> Iterator[Twice]:
    """Both answers to each photo that came twice, of readers who answered anything in the session."""
    twins = StudyImage.with_repeats.filter(study=study, taken_out_at=None).exclude(repeat_of=None)
    of_photo = dict(twins.values_list("number", "repeat_of__number"))
    if not of_photo:
        return
    names = dict(study.images.values_list("number", "name"))
    readings = (
        Reading.objects.filter(reader__in=Reader.objects.filter(study=study).counted())
        .select_related("session", "reader__group")
        .order_by("session__number", "reader")
    )
    said: dict[int, dict[int, str]] = {}
    for pk, number, choice in Answer.objects.filter(reading__in=readings).values_list(
        "reading", "image__number", "choice"
    ):
        said.setdefault(pk, {})[number] = choice
    for reading in readings:
        if not (given := said.get(reading.pk)):
            continue
        group = reading.reader.group.key if reading.reader.group else ""
        for twin in reading.order:
            if (photo := of_photo.get(twin)) is not None:
                yield Twice(
                    reading.session.key, reading.reader.code, group, names[photo], given.get(photo, ""),
                    given.get(twin, ""),
                )  # fmt: skip


def tables(report: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...], list[tuple]]]:
    """As tables with one fact a row; none where there is no design."""
    if not (plan := report.get("plan")):
        return
    yield (
        "allocation",
        ("reader", "place", "arm", "blocks"),
        [
            (code, one["place"], " > ".join(one["arm"]), " ".join(map(str, one["blocks"])))
            for code, one in plan["readers"].items()
        ],
    )
    if plan["repeats"]:
        columns = ("session", "reader", "group", "image", "first", "second")
        yield "shown-twice", columns, [tuple(one[name] for name in columns) for one in plan["twice"]]
        yield (
            "self-agreement",
            ("session", "reader", "group", "photos", "same", "share", "share_low", "share_high", "kappa", "kappa_low",
             "kappa_high"),
            [
                (session, reader, one["group"], one["photos"], one["same"], one["share"],
                 *(one["share_ci"] or (None, None)), one["kappa"], *(one["kappa_ci"] or (None, None)))
                for session, found in plan["self_agreement"].items()
                for reader, one in found["readers"].items()
            ],
        )  # fmt: skip
    if plan["periods"]:
        yield (
            "periods",
            ("dataset", "rule", "effect", "difference", "low", "high", "t", "df", "p"),
            [
                (
                    dataset,
                    rule,
                    effect,
                    one["value"],
                    *(one["ci"] or (None, None)),
                    one["t"],
                    one["df"],
                    one["p"],
                )
                for dataset, found in plan["periods"].items()
                for rule in ("missing_is_wrong", "as_read")
                for effect in ("period", "session")
                for one in (found[rule][effect],)
            ],
        )
