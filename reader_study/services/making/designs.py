"""How a study's reading is shared out: choosing it, what opening makes of it, and what each reader gets."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from reader_study import allocation
from reader_study.allocation import Place, Plan
from reader_study.models import Allocation, Reader, Study, StudyDesign, StudyImage
from reader_study.services.locking import lock_draft
from skinclinic.archive.services.datasets import splits
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

MOST_BLOCKS = 50
Arms = StudyDesign.Arms


def of(study: Study) -> StudyDesign:
    """The study's design; one that is not stored where every reader reads everything."""
    return StudyDesign.objects.filter(study=study).first() or StudyDesign(study=study)


def plan_of(study: Study, design: StudyDesign) -> Plan:
    sessions = tuple(study.sessions.order_by("number").values_list("key", flat=True))
    arms = {
        Arms.PARALLEL: tuple((key,) for key in sessions),
        Arms.CROSSOVER: (sessions, sessions[::-1]),
    }.get(Arms(design.arms), ((),))
    return Plan(arms, design.blocks, design.blocks_a_reader, design.repeats)


@transaction.atomic
def choose(study: Study, values: Mapping[str, Any]) -> StudyDesign:
    """Set the design of a draft. Raises Refused."""
    row = lock_draft(study)
    design = of(row)
    for name, value in values.items():
        setattr(design, name, value)
    if design.blocks == 1:
        design.blocks_a_reader = 1
    if not 1 <= design.blocks <= MOST_BLOCKS:
        raise Refused("blocks", _("Choose from 1 to %(most)d blocks.") % {"most": MOST_BLOCKS})
    if design.blocks > 1 and not 1 <= design.blocks_a_reader < design.blocks:
        raise Refused(
            "blocks_a_reader", _("Each reader reads at least one block, and fewer than all of them.")
        )
    for field, text in obstacles(row, design):
        raise Refused(field, text)
    if design.is_plain:
        StudyDesign.objects.filter(study=row).delete()
    else:
        design.save()
    return design


def obstacles(study: Study, design: StudyDesign) -> Iterator[tuple[str, str]]:
    """(field, text) of what the sample of now does not allow: the first that is wrong, the others hang on it."""
    strata = strata_of(study)
    if not strata:
        return
    if design.blocks > len(strata):
        text = _("There are more blocks (%(blocks)d) than photos (%(photos)d).")
        yield "blocks", text % {"blocks": design.blocks, "photos": len(strata)}
        return
    sizes = block_sizes(study, design)
    if len(sizes) < design.blocks:
        yield (
            "blocks",
            _("With one patient's photos kept together there is enough for %(n)d blocks at most.")
            % {"n": len(sizes)},
        )
    elif design.repeats > (most := allocation.most_repeats(min(sizes))):
        yield "repeats", _("At most half of a block can come twice: %(most)d photos.") % {"most": most}


def strata_of(study: Study) -> dict[int, tuple[str, str]]:
    """Dataset and disease of each photo that counts, by number."""
    rows = study.images.filter(is_practice=False).order_by("number")
    return {
        number: (dataset, truth) for number, dataset, truth in rows.values_list("number", "dataset", "truth")
    }


def together(study: Study) -> list[list[int]]:
    """The numbers of photos that one block takes whole: of one patient or one lesion, as far as these are known."""
    rows = study.images.filter(is_practice=False).order_by("number")
    members = [
        splits.Member(number, sha256, person or "", lesion=lesion or "")
        for number, sha256, person, lesion in rows.values_list(
            "number", "content_sha256", "dataset_item__person", "dataset_item__lesion"
        )
    ]
    groups = splits.together(members, ())
    return [sorted(member.pk for member in group) for group in groups if len(group) > 1]


def block_sizes(study: Study, design: StudyDesign) -> list[int]:
    """How many photos each block has."""
    return sorted(Counter(dealt(study, design).values()).values())


def dealt(study: Study, design: StudyDesign) -> dict[int, int]:
    """The block of each photo, by number: as it is, or as a trial would deal it."""
    stored = {}
    if design.seed is not None and design.blocks > 1:
        stored = dict(study.images.exclude(block=0).values_list("number", "block"))
    return stored or allocation.deal(strata_of(study), design.blocks, 0, together(study))


# Opening


def prepare(study: Study) -> None:
    """Draw the seed, split the sample, add the photos that come twice, and give each reader a place, in the order in
    which they were enrolled. Draft readers' orders are to be drawn after it. Raises Refused."""
    design = of(study)
    if design.is_plain:
        return
    design.seed = random.SystemRandom().getrandbits(48)
    strata, kept = strata_of(study), together(study)
    block = dict.fromkeys(strata, 1)
    if design.blocks > 1:
        block = allocation.deal(strata, design.blocks, design.seed, kept)
        design.keeps_patients = True
        images = list(study.images.filter(is_practice=False))
        for image in images:
            image.block = block[image.number]
        StudyImage.objects.bulk_update(images, ["block"], batch_size=500)
    design.save(update_fields=["seed", "keeps_patients"])
    try:
        twice = allocation.repeated(block, design.repeats, design.seed, kept)
    except ValueError:
        raise Refused("repeats", _("A block has too few photos for so many to come twice.")) from None
    _add_repeats(study, twice)
    for reader in study.readers.filter(is_preview=False).select_related("group").order_by("pk"):
        allocate(reader)


def _add_repeats(study: Study, numbers: list[int]) -> None:
    """A row of its own for each photo that comes twice: an answer of its own, and nothing that tells it apart."""
    last = study.images.order_by("-number").values_list("number", flat=True).first() or 0
    twins = list(study.images.filter(number__in=numbers).order_by("number"))
    for place, twin in enumerate(twins, start=1):
        twin.repeat_of_id, twin.pk = twin.pk, None
        twin._state.adding = True
        twin.number, twin.name, twin.scores = last + place, f"{twin.name}-again", None
    StudyImage.objects.bulk_create(twins)


# Readers


def allocate(reader: Reader) -> Allocation | None:
    """The next place of the list, for a reader of a study that was opened; None where nothing is drawn by lot."""
    design = of(reader.study)
    if design.seed is None or reader.is_preview or (design.arms == Arms.ALL and design.blocks == 1):
        return None
    earlier = list_of(reader.study)
    group = reader.group.key if reader.group else ""
    found = allocation.next_place(plan_of(reader.study, design), earlier, group, design.seed)
    return Allocation.objects.create(
        study=reader.study,
        reader=reader,
        place=len(earlier) + 1,
        arm=list(found.arm),
        blocks=list(found.blocks),
    )


def list_of(study: Study) -> list[Place]:
    """What was given out, in its order, to those who withdrew too."""
    rows = study.allocations.order_by("place").values_list("reader__group__key", "arm", "blocks")
    return [Place(group or "", tuple(arm), tuple(blocks)) for group, arm, blocks in rows]


def follows_the_list(study: Study) -> bool:
    """Whether what each reader got is what the seed gives."""
    design = of(study)
    if design.seed is None:
        return True
    given = list_of(study)
    return given == allocation.places(plan_of(study, design), [one.group for one in given], design.seed)


@dataclass(frozen=True)
class Share:
    """What one reader reads: sessions in their order, and the photos' numbers with those that come twice."""

    sessions: tuple[str, ...]
    numbers: list[int]
    twins: dict[int, int]


def share_of(reader: Reader) -> Share:
    """Everything for previews, and before a study was opened."""
    study = reader.study
    found = Allocation.objects.filter(reader=reader).first()
    images = StudyImage.with_repeats.filter(study=study, is_practice=False)
    if found and found.blocks:
        images = images.filter(block__in=found.blocks)
    rows = list(images.order_by("number").values_list("number", "repeat_of__number"))
    keys = study.sessions.order_by("number").values_list("key", flat=True)
    return Share(
        tuple(found.arm if found and found.arm else keys),
        [number for number, of_photo in rows if of_photo is None],
        {number: of_photo for number, of_photo in rows if of_photo is not None},
    )


# The protocol


def protocol_of(study: Study) -> dict[str, Any]:
    """What opening fixed of the design; nothing where every reader reads everything."""
    design = of(study)
    if design.is_plain:
        return {}
    twins = StudyImage.with_repeats.filter(study=study).exclude(repeat_of=None).order_by("number")
    blocks = study.images.exclude(block=0).order_by("number").values_list("number", "block")
    return {
        "design": {
            "arms": design.arms,
            "blocks": design.blocks,
            "blocks_a_reader": design.blocks_a_reader,
            "repeats": design.repeats,
            # Not in protocols from before patients were kept together.
            **({"keeps_patients": True} if design.keeps_patients else {}),
            "seed": design.seed,
            "block_of": [list(pair) for pair in blocks],
            "repeated": [list(pair) for pair in twins.values_list("number", "repeat_of__number")],
        }
    }


def kept_back(content: dict[str, Any]) -> dict[str, Any]:
    """The protocol without what would tell the next reader's allocation, and which photos come twice."""
    if "design" not in content:
        return content
    return {**content, "design": {**content["design"], "seed": None, "repeated": None}}
