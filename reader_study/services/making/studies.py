"""A study from its first draft to its end: making it, its settings, amendments, closing, unblinding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from classifier.models import ModelVersion
from classifier.services.models import registry
from reader_study.models import ReaderGroup, Study, StudyEvent, StudySession
from reader_study.services import log
from reader_study.services.locking import lock_draft, lock_open
from reader_study.services.making import asked, operating, orders, progress, texts
from reader_study.services.results import model_answers, results
from reader_study.statistics import endpoints
from skinclinic.engine import clock
from skinclinic.models import Clinic, User
from skinclinic.services import webhooks
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

UNAIDED, AIDED = "unaided", "aided"
FACTS = ("age", "sex", "site")
MOST_GROUPS, LONGEST_WASHOUT = 8, 3650
# What may change while a study is open; each change is an amendment that shows the old and the new.
LATER_AMENDABLE = ("registration", "ethics", "funding", "contact")
AMENDABLE = (
    "description", "instructions", "instructions_in", "ends_on", "consent_text", "consent_in", *LATER_AMENDABLE,
)  # fmt: skip


@transaction.atomic
def create(clinic: Clinic, user: User | None, *, name: str, description: str = "") -> Study:
    """Make a draft with everything that has a sensible default. Raises Refused."""
    study = Study(
        clinic=clinic, name=name, description=_one_way(description), created_by=user, question=texts.default_question(),
        instructions=texts.default_instructions(), model_version=registry.published(clinic),
    )  # fmt: skip
    study.threshold_set = operating.default_for(study, study.model_version)
    try:
        with transaction.atomic():
            study.save()
    except IntegrityError:
        raise Refused("name", _("This clinic already has a study with this name.")) from None
    StudySession.objects.create(study=study, number=1, key=UNAIDED)
    for place, (key, group) in enumerate((("professors", _("Professors")), ("clinicians", _("Clinicians")))):
        ReaderGroup.objects.create(study=study, key=key, name=group, place=place)
    return study


@transaction.atomic
def create_with_settings(
    clinic: Clinic, user: User | None, values: Mapping[str, Any], sessions: "Sessions | None" = None
) -> Study:
    """Make a draft and change its settings, or make none. Raises Refused."""
    rest = dict(values)
    study = create(clinic, user, name=rest.pop("name"), description=rest.pop("description", ""))
    return change_settings(study, rest, sessions=sessions) if rest or sessions else study


@transaction.atomic
def delete(study: Study) -> None:
    """Throw a draft away. Raises Refused."""
    row = lock_draft(study)
    # Their groups, which the study takes along, may not go before them.
    row.readers.all().delete()
    row.delete()


@dataclass(frozen=True)
class Sessions:
    """How readers read: unaided, and if so wished once more with the model's answer, after a washout in days."""

    has_aided: bool = False
    washout_days: int = 0

    @classmethod
    def of(cls, study: Study) -> "Sessions":
        aided = study.sessions.filter(is_aided=True).first()
        return cls(aided is not None, aided.washout_days if aided else 0)


@transaction.atomic
def change_settings(
    study: Study,
    values: Mapping[str, object],
    *,
    sessions: Sessions | None = None,
    groups: Mapping[int, str] | None = None,
    new_groups: Sequence[str] = (),
) -> Study:
    """Set fields of a draft (by name), its sessions, and its groups ({group: name, "" removes it}). Raises Refused.

    Another model or other sessions mean other answers of the model and other orders.
    """
    row = lock_draft(study)
    earlier_model = row.model_version_id
    values = {name: _one_way(value) for name, value in values.items()}
    for name, value in values.items():
        setattr(row, name, value)
    if row.model_version_id != earlier_model:
        chosen = row.model_version_id
        row.model_version = ModelVersion.objects.filter(pk=chosen).first() if chosen else None
        if not {"threshold_set", "threshold_set_id"} & set(values):
            row.threshold_set = operating.default_for(row, row.model_version)
            values["threshold_set"] = row.threshold_set
    operating.check(row)
    row.choices = [key for key in DISEASE_KEYS if key in row.choices]
    row.endpoints = list(endpoints.chosen(row.endpoints))
    row.shown_facts = [fact for fact in FACTS if fact in row.shown_facts]
    asked.settle(row)
    try:
        with transaction.atomic():
            row.save(update_fields=list(values))
    except IntegrityError:
        raise Refused("name", _("This clinic already has a study with this name.")) from None
    if sessions is not None:
        _set_sessions(row, sessions)
    _set_groups(row, groups or {}, new_groups)
    if row.model_version_id != earlier_model:
        model_answers.forget(row)
    model_answers.request(row)
    return row


def _set_sessions(study: Study, wanted: Sessions) -> None:
    if not 0 <= wanted.washout_days <= LONGEST_WASHOUT:
        raise Refused("washout_days", _("Choose from 0 to %(most)d days.") % {"most": LONGEST_WASHOUT})
    aided = study.sessions.filter(is_aided=True).first()
    if wanted.has_aided:
        if aided is None:
            aided = StudySession(study=study, number=2, key=AIDED, is_aided=True)
        is_new = aided.pk is None
        aided.washout_days = wanted.washout_days
        aided.save()
        if is_new:
            orders.redraw(study)
    elif aided is not None:
        aided.delete()


def _set_groups(study: Study, names: Mapping[int, str], new: Sequence[str]) -> None:
    for group in study.groups.all():
        if group.pk not in names:
            continue
        name = names[group.pk]
        if name:
            group.name = name
            group.save(update_fields=["name"])
        elif group.readers.counted().exists():
            raise Refused(
                "groups", _("The group “%(name)s” has readers. Withdraw them first.") % {"name": group.name}
            )
        else:
            group.readers.filter(is_preview=True).delete()
            group.readers.update(group=None)
            group.delete()
    for name in filter(None, new):
        place = max((group.place for group in study.groups.all()), default=-1) + 1
        ReaderGroup.objects.create(study=study, key=_group_key(study, name), name=name, place=place)
    found = list(study.groups.values_list("name", flat=True))
    if not 1 <= len(found) <= MOST_GROUPS:
        raise Refused(
            "groups", _("A study has from 1 to %(most)d groups of readers.") % {"most": MOST_GROUPS}
        )
    if len({name.casefold() for name in found}) < len(found):
        raise Refused("groups", _("Two groups have the same name."))


def _group_key(study: Study, name: str) -> str:
    taken = set(study.groups.values_list("key", flat=True))
    stem = slugify(name)[:30] or "group"
    return next(
        key
        for n in range(1, 1000)
        if (key := stem if n == 1 and stem != "group" else f"{stem}-{n}") not in taken
    )


@transaction.atomic
def amend(study: Study, user: User, values: Mapping[str, object], reason: str) -> dict[str, list]:
    """Change what may still change while the study is open; return {field: [from, to]}. Raises Refused."""
    if wrong := sorted(set(values) - set(AMENDABLE)):
        raise Refused(wrong[0], _("This was fixed when the study opened and cannot change any more."))
    row = lock_open(study)
    values = {name: _one_way(value) for name, value in values.items()}
    for name, others in (("instructions", "instructions_in"), ("consent_text", "consent_in")):
        if name in values and values[name] != getattr(row, name):
            # Else readers of another language would go on reading what was amended.
            values.setdefault(others, {})
    changes = {
        name: [plain(getattr(row, name)), plain(value)]
        for name, value in values.items()
        if plain(getattr(row, name)) != plain(value)
    }
    if not changes:
        raise Refused("", _("Nothing is different."))
    if "instructions" in changes and not str(values["instructions"]).strip():
        raise Refused("instructions", _("There are no instructions for the readers."))
    if not reason.strip():
        raise Refused("reason", _("Say why: the reason stands beside the change for good."))
    for name in changes:
        setattr(row, name, values[name])
    row.save(update_fields=list(changes))
    details: dict[str, Any] = dict(changes)
    log.note(row, StudyEvent.Kind.AMENDED, by=user, reason=reason, **details)
    return changes


def _one_way(value):
    """Texts with one kind of line ends, whatever a browser sends, so that equal texts are equal."""
    return "\n".join(value.splitlines()) if isinstance(value, str) else value


def plain(value):
    """A value as JSON can hold it."""
    return value.isoformat() if isinstance(value, date) else value


@transaction.atomic
def close(study: Study, user: User | None, *, typed: str | None = None) -> Study:
    """End the reading for good; what is unfinished stays as it is. Raises Refused.

    ``typed``: the study's name, asked of a person at a page; None where a program closes it.
    """
    row = lock_open(study)
    if typed is not None:
        _require_typed(row, typed)
    row.state, row.closed_at, row.closed_by = Study.State.CLOSED, clock.now(), user
    row.save(update_fields=["state", "closed_at", "closed_by"])
    unfinished = progress.unfinished(row)
    log.note(row, StudyEvent.Kind.CLOSED, by=user, unfinished=unfinished)
    row.readers.filter(is_preview=True).delete()
    results.request(row)
    webhooks.tell(row.clinic_id, webhooks.Event.STUDY, study=row.pk)
    return row


@transaction.atomic
def unblind(study: Study, user: User, *, reason: str, typed: str) -> Study:
    """Let coordinators see answers beside the truth before the study is closed, for a reason that is kept.

    ``typed``: the study's name, so that it is no slip of the hand. Raises Refused.
    """
    row = lock_open(study)
    if row.is_unblinded:
        raise Refused("", _("The study is unblinded already."))
    if not reason.strip():
        raise Refused("reason", _("Say why: the reason stands in the log for good."))
    _require_typed(row, typed)
    row.unblinded_at = timezone.now()
    row.save(update_fields=["unblinded_at"])
    log.note(row, StudyEvent.Kind.UNBLINDED, by=user, reason=reason)
    results.request(row)
    return row


def _require_typed(study: Study, typed: str) -> None:
    if " ".join(typed.split()) != " ".join(study.name.split()):
        raise Refused("typed", _("Type the name of the study exactly as it stands above."))


def lost_by_closing(n: int) -> str:
    """What closing would leave undone while so many readings are not finished, in words; "" if everybody has."""
    if not n:
        return ""
    return ngettext(
        "%d reading is not finished; its missing answers will count as wrong.",
        "%d readings are not finished; their missing answers will count as wrong.",
        n,
    ) % n  # fmt: skip
