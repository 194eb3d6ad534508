"""What keeps a study from being shared out as its design says, and what the design means in numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reader_study import allocation
from reader_study.models import Study, StudyDesign
from reader_study.services.making import designs
from reader_study.services.making.designs import Arms
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext

# (code, where it is mended, text, is only advice); ``opening`` makes its points of them.
Found = tuple[str, str, str, bool]
SETTINGS, READERS = "settings", "readers"


@dataclass(frozen=True)
class Preview:
    """What readers enrolled until now would get. ``block``: photos of the smallest and the largest block; ``each``:
    photos of one reader in a session, those that come twice counted twice; ``read_by``: fewest and most readers of a
    photo in one arm."""

    photos: int
    readers: int
    block: tuple[int, int]
    each: int
    arms: tuple[tuple[tuple[str, ...], int], ...]
    read_by: tuple[int, int]


def preview(study: Study, design: StudyDesign) -> Preview:
    """By a list drawn for the purpose: the real one is drawn at opening, and differs in who gets what only."""
    photos = study.images.filter(is_practice=False).count()
    plan = designs.plan_of(study, design)
    groups = list(study.readers.counted().order_by("pk").values_list("group__key", flat=True))
    given = allocation.places(plan, [group or "" for group in groups], 0)
    arms = Counter(one.arm for one in given)
    read = Counter((one.arm, block) for one in given for block in one.blocks or (1,))
    every = [read[arm, block] for arm in plan.arms for block in range(1, plan.blocks + 1)]
    if design.arms == Arms.CROSSOVER:
        # Both orders read every photo.
        every = [sum(read[arm, block] for arm in plan.arms) for block in range(1, plan.blocks + 1)]
    sizes = designs.block_sizes(study, design) or [0]
    return Preview(
        photos,
        len(groups),
        (sizes[0], sizes[-1]),
        plan.blocks_a_reader * (photos // plan.blocks + plan.repeats),
        tuple((arm, arms[arm]) for arm in dict.fromkeys(plan.arms)),
        (min(every), max(every)),
    )


def in_words(study: Study, design: StudyDesign) -> list[str]:
    """What the design comes to with the sample and the readers of now."""
    found = preview(study, design)
    if not found.photos or not found.readers:
        return [_("Once there are a sample and readers, this says what each of them reads.")]
    readers = ngettext("%d reader", "%d readers", found.readers) % found.readers
    said = []
    if design.blocks > 1:
        text = _("%(readers)s, %(blocks)d blocks of %(photos)s photos: each photo is read by %(times)s.")
        if design.arms == Arms.PARALLEL:
            text = _(
                "%(readers)s, %(blocks)d blocks of %(photos)s photos: in each arm a photo is read by %(times)s."
            )
        said.append(
            text
            % {
                "readers": readers,
                "blocks": design.blocks,
                "photos": _span(*found.block),
                "times": _span(*found.read_by),
            }
        )
    elif design.arms == Arms.PARALLEL:
        said.append(
            _("%(readers)s, %(photos)d photos: in each arm a photo is read by %(times)s.")
            % {"readers": readers, "photos": found.photos, "times": _span(*found.read_by)}
        )
    else:
        said.append(
            _("%(readers)s, %(photos)d photos: each photo is read by all.")
            % {"readers": readers, "photos": found.photos}
        )
    if design.arms != Arms.ALL:
        said.append(_("Readers of each arm: %(arms)s") % {"arms": _arms(found)})
    if design.repeats:
        said.append(
            ngettext(
                "Each reader sees %(n)d photo in a session, %(twice)d of them a second time.",
                "Each reader sees %(n)d photos in a session, %(twice)d of them a second time.",
                found.each,
            )
            % {"n": found.each, "twice": design.repeats * design.blocks_a_reader}
        )
    return said


def _arms(found: Preview) -> str:
    return "; ".join(f"{arm_name(arm)} {grouped(n)}" for arm, n in found.arms)


def _span(least: int, most: int) -> str:
    return str(least) if least == most else _("%(least)d to %(most)d") % {"least": least, "most": most}


def arm_name(arm: Iterable[str]) -> str:
    """The sessions of a reader in their order, in words."""
    words = {"unaided": _("without the model"), "aided": _("with the model")}
    names = [words.get(key, key) for key in arm]
    return _(", then ").join(names)


def of(study: Study) -> Iterator[Found]:
    """Everything that the design lacks."""
    design = designs.of(study)
    if design.is_plain:
        return
    photos = study.images.filter(is_practice=False).count()
    if photos:
        yield from _about_photos(study, design)
    if design.arms != Arms.ALL and study.sessions.count() < 2:
        yield (
            "arms", SETTINGS,
            _("Arms compare reading with and without the model, and the session with the model's answer is missing."),
            False,
        )  # fmt: skip
        return
    if study.readers.counted().exists():
        yield from _about_readers(study, design, preview(study, design))


def _about_photos(study: Study, design: StudyDesign) -> Iterator[Found]:
    for field, text in designs.obstacles(study, design):
        yield field, SETTINGS, text, False
        if field == "blocks":
            return
    if design.blocks > 1:
        blocks = defaultdict(set)
        block = designs.dealt(study, design)
        for number, (_dataset, truth) in designs.strata_of(study).items():
            blocks[truth].add(block[number])
        if few := [truth for truth, its in blocks.items() if len(its) < design.blocks]:
            text = ngettext(
                "%d disease is not in every block: some readers will not see it.",
                "%d diseases are not in every block: some readers will not see them.",
                len(few),
            )
            yield "few_in_blocks", SETTINGS, text % len(few), True


def _about_readers(study: Study, design: StudyDesign, found: Preview) -> Iterator[Found]:
    if design.arms != Arms.ALL and (empty := [arm for arm, n in found.arms if not n]):
        text = _("Nobody would read: %(arm)s. Invite more readers.")
        yield "arm", READERS, text % {"arm": "; ".join(map(arm_name, empty))}, False
    elif found.read_by[0] == 0:
        yield (
            "unread", READERS,
            _("With so few readers some blocks would be read by nobody. Invite more readers, or make fewer blocks."),
            False,
        )  # fmt: skip
    elif design.arms != Arms.ALL and any(n == 1 for _arm, n in found.arms):
        text = _("An arm has one reader: nothing can be said about readers in general.")
        yield "one_in_arm", READERS, text, True
    if design.arms == Arms.CROSSOVER and not study.sessions.filter(washout_days__gt=0).exists():
        text = _("There is no washout between the two sessions: readers may remember the photos.")
        yield "washout", SETTINGS, text, True
