"""The reference standard: what the truth of each photo of a sample rests on, and the votes of its panel.

Histopathology proves; where there is none, several experts (a panel of the study, two curators of the archive, or a
consensus the source tells of) weigh more than a single opinion. The panel votes before the study opens.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from reader_study import panel
from reader_study.models import PanelVote, Study, StudyEvent, StudyImage
from reader_study.panel import Agreement, Vote
from reader_study.services import log
from reader_study.services.locking import lock_draft
from skinclinic.archive.services.curating import opinions
from skinclinic.models import Diagnosis, User
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _

PROVEN, PANEL, SINGLE = StudyImage.Reference.PROVEN, StudyImage.Reference.PANEL, StudyImage.Reference.SINGLE
UNKNOWN = ""
KINDS = (PROVEN, PANEL, SINGLE, UNKNOWN)
_PROOF = ("", Diagnosis.ConfirmedBy.HISTOPATHOLOGY)
LONGEST_NAME = 60


@dataclass(frozen=True)
class Strength:
    """How many photos that count rest on what; ``agreement`` of the study's panel."""

    counts: Mapping[str, int] = field(default_factory=dict)
    agreement: Agreement | None = None

    @property
    def proven(self) -> int:
        return self.counts.get(PROVEN, 0)

    @property
    def panel(self) -> int:
        return self.counts.get(PANEL, 0)

    @property
    def single(self) -> int:
        return self.counts.get(SINGLE, 0)

    @property
    def unknown(self) -> int:
        return self.counts.get(UNKNOWN, 0)

    def in_words(self) -> str:
        """“proven 20, agreed by several experts 5, single opinion 3”"""
        words = {
            PROVEN: _("proven %(n)d"),
            PANEL: _("agreed by several experts %(n)d"),
            SINGLE: _("single opinion %(n)d"),
            UNKNOWN: _("not recorded %(n)d"),
        }
        return ", ".join(words[kind] % {"n": n} for kind in KINDS if (n := self.counts.get(kind)))

    def panel_in_words(self) -> str:
        """How far the panel agreed; "" where no two members voted on a photo."""
        found = self.agreement
        if found is None or found.pairs is None:
            return ""
        return _(
            "A panel of %(raters)d voted on %(photos)d photos and agreed at once on %(unanimous)d; %(settled)d were "
            "settled by adjudication. Of two votes on a photo, %(share)s %% named the same disease."
        ) % {
            "raters": found.raters, "photos": found.photos, "unanimous": found.unanimous, "settled": found.settled,
            "share": f"{100 * found.pairs:.0f}",
        }  # fmt: skip


def votes_of(study: Study) -> list[Vote]:
    """All votes of the study's panel, in the order of the photos."""
    rows = PanelVote.objects.filter(study=study).order_by("image__number", "is_adjudication", "rater")
    values = rows.values_list("image__number", "rater", "diagnosis", "voted_on", "is_adjudication")
    return [Vote(*row) for row in values]


def kinds_of(study: Study) -> dict[int, str]:
    """What the truth of each photo rests on, by number: as opening fixed it, or of a draft as it is now."""
    if study.origin == Study.Origin.REPLAY or not study.is_draft:
        return dict(study.images.values_list("number", "reference"))
    found = panel.findings(votes_of(study))
    rows = study.images.select_related("dataset_item__entry")
    return {image.number: _kind(image, found.get(image.number)) for image in rows}


def _kind(image: StudyImage, found: panel.Finding | None) -> str:
    item = image.dataset_item
    if item is not None and item.is_proven and item.confirmed_by in _PROOF:
        return PROVEN
    if found and found.diagnosis and found.members + found.is_settled > 1:
        return PANEL
    if item is not None and item.confirmed_by == Diagnosis.ConfirmedBy.CONSENSUS:
        return PANEL
    entry = item.entry if item else None
    if entry is not None and opinions.state_of(entry) in (opinions.AGREE, opinions.SETTLED):
        return PANEL
    return SINGLE


def strength(study: Study) -> Strength:
    """Of the photos that count."""
    counted = set(study.images.counted().values_list("number", flat=True))
    kinds = Counter(kind for number, kind in kinds_of(study).items() if number in counted)
    votes = [vote for vote in votes_of(study) if vote.image in counted]
    return Strength(dict(kinds), panel.agreement(votes) if votes else None)


@dataclass(frozen=True)
class Open:
    """Numbers of photos on which the panel has not decided, and of those it names otherwise than the sample does;
    ``against_proof`` are proven, where histopathology holds."""

    undecided: tuple[int, ...]
    differing: tuple[int, ...]
    against_proof: tuple[int, ...]


def still_open(study: Study) -> Open:
    """What the votes leave to be done before opening."""
    found, kinds = panel.findings(votes_of(study)), kinds_of(study)
    truths = dict(study.images.values_list("number", "truth"))
    differing = [n for n, one in found.items() if one.diagnosis and one.diagnosis != truths[n]]
    return Open(
        tuple(n for n, one in found.items() if not one.diagnosis and kinds[n] != PROVEN),
        tuple(n for n in differing if kinds[n] != PROVEN),
        tuple(n for n in differing if kinds[n] == PROVEN),
    )


def fix(study: Study) -> None:
    """Keep on each photo what its truth rests on; before the study's state is changed."""
    kinds = kinds_of(study)
    for kind in (PROVEN, PANEL, SINGLE):
        numbers = [number for number, one in kinds.items() if one == kind]
        study.images.filter(number__in=numbers).update(reference=kind)


# Voting


@transaction.atomic
def note(study: Study, votes: Sequence[Vote], user: User | None, *, origin: str = "page") -> int:
    """Keep votes, a member's newer one in the place of the older; return how many are new or different. Raises
    Refused, naming what is wrong, and then keeps none."""
    row = lock_draft(study)
    images = dict(row.images.values_list("number", "pk"))
    _check(row, votes, images)
    kept = {(vote.image, vote.rater): vote for vote in votes_of(row)}
    changed = [vote for vote in votes if kept.get((vote.image, vote.rater)) != vote]
    for vote in changed:
        if vote.is_adjudication:
            row.panel_votes.filter(image=images[vote.image], is_adjudication=True).delete()
        PanelVote.objects.update_or_create(
            study=row, image_id=images[vote.image], rater=vote.rater,
            defaults={
                "diagnosis": vote.diagnosis, "voted_on": vote.voted_on, "is_adjudication": vote.is_adjudication,
                "noted_by": user,
            },
        )  # fmt: skip
    if changed:
        log.note(row, StudyEvent.Kind.PANEL, by=user, votes=len(changed), origin=origin)
    return len(changed)


def _check(study: Study, votes: Iterable[Vote], images: Mapping[int, int]) -> None:
    for vote in votes:
        if vote.image not in images:
            raise Refused("number", _("There is no photo %(number)d in the sample.") % {"number": vote.image})
        if not vote.rater or len(vote.rater) > LONGEST_NAME:
            raise Refused(
                "rater", _("A member of the panel has a name of 1 to %(n)d characters.") % {"n": LONGEST_NAME}
            )
        if vote.diagnosis not in DISEASE_KEYS:
            raise Refused("diagnosis", _("“%(word)s” is none of the 12 diseases.") % {"word": vote.diagnosis})
        if vote.voted_on and vote.voted_on > timezone.localdate():
            raise Refused(
                "date", _("Photo %(number)d: the vote is dated in the future.") % {"number": vote.image}
            )


@transaction.atomic
def take_over(study: Study, user: User | None) -> int:
    """Let the panel's diagnoses be the truths of the photos that nothing proves; return how many changed."""
    row = lock_draft(study)
    found = panel.findings(votes_of(row))
    changed = still_open(row).differing
    for number in changed:
        row.images.filter(number=number).update(truth=found[number].diagnosis)
    if changed:
        log.note(row, StudyEvent.Kind.PANEL, by=user, took_over=len(changed))
    return len(changed)


@transaction.atomic
def forget(study: Study, user: User | None) -> int:
    """Throw all votes of a draft away, and give the photos the datasets' labels again."""
    row = lock_draft(study)
    n, _by_kind = row.panel_votes.all().delete()
    for image in row.images.exclude(dataset_item=None).exclude(truth=F("dataset_item__label")):
        row.images.filter(pk=image.pk).update(truth=image.dataset_item.label if image.dataset_item else "")
    if n:
        log.note(row, StudyEvent.Kind.PANEL, by=user, forgotten=n)
    return n
