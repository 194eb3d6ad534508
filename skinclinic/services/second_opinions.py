"""Second opinions: asking a member of the clinic, or by a link somebody outside, about one case.

A link is good for one case and its chosen photos. It ends by its day, when it is withdrawn, when the patient refuses
what goes beyond the own care, and with the case itself.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from skinclinic.models import (
    Call,
    Lesion,
    Letter,
    OpinionGiven,
    OpinionLook,
    Patient,
    Photo,
    SecondOpinion,
    User,
)
from skinclinic.services import calls, cases, letters, patient_codes
from skinclinic.services.consent import Effect, on_withdrawal
from skinclinic.services.patients import codes_of
from skinclinic.services.refused import Refused
from skinclinic.services.secret_links import new_nonce, secret_hash, secret_of
from skinclinic.web import acting
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

DAYS = (3, 7, 14, 30, 90)
USUAL_DAYS = 14
# What one link may be used for: nobody looks or answers as often by hand.
MOST_A_MINUTE = 120
MOST_ANSWERS = 50
What = OpinionLook.What
WITHDRAWN, EXPIRED, GONE = "withdrawn", "expired", "gone"


class NoSuchLink(Exception):
    """Nobody was ever given this link."""


class LinkEnded(Exception):
    """The link was good once. ``why``: withdrawn, expired or gone (the case may not be shown any more)."""

    def __init__(self, opinion: SecondOpinion, why: str):
        super().__init__(why)
        self.opinion, self.why = opinion, why


class TooOften(Exception):
    """The link was used more often in the last minute than a person would."""


@transaction.atomic
def ask_member(lesion: Lesion, user: User, colleague: User, question: str = "") -> SecondOpinion:
    """Ask a member of the clinic, who finds the case under *For me* until they decide it. Raises Refused."""
    if colleague == user:
        raise Refused("colleague", _("This is yourself. Choose somebody else."))
    if not cases.deciders(lesion.clinic_id).filter(user=colleague).exists():
        raise Refused("colleague", _("Choose a member of this clinic who may decide cases."))
    cases.hold_one(lesion)
    if calls.open_at(lesion, colleague).filter(why=Call.Why.OPINION).exists():
        raise Refused(
            "colleague", _("%(name)s is asked already and has not answered yet.") % {"name": colleague}
        )
    opinion = SecondOpinion.objects.create(
        clinic_id=lesion.clinic_id, lesion=lesion, asked_by=user, colleague=colleague, question=question
    )
    calls.call(lesion, [colleague], user, Call.Why.OPINION, opinion=opinion)
    return opinion


@transaction.atomic
def ask_outside(
    lesion: Lesion,
    user: User,
    *,
    name: str,
    photos: Sequence[Photo],
    shows: Iterable[str] = (),
    email: str = "",
    question: str = "",
    days: int = USUAL_DAYS,
    address: Callable[[str], str] | None = None,
) -> tuple[SecondOpinion, str]:
    """Make a link for somebody outside; return it with its secret, which cannot be had again. Raises Refused.

    With ``address``, which makes the link of a secret, it is mailed if there is an e-mail and a server is set up.
    """
    cases.hold_one(lesion)
    patient = Patient.objects.filter(lesions=lesion).first()
    if patient and patient.research_consent == Patient.Consent.REFUSED:
        raise Refused(
            "name",
            _("The patient has refused that photos leave the clinic. Ask a member of the clinic instead."),
        )
    if not photos or any(photo.lesion_id != lesion.pk for photo in photos):
        raise Refused("photos", _("Choose at least one photo of this lesion."))
    said = f"{name}\n{question}"
    if patient_codes.without_codes(said, codes_of(patient)) != said:
        raise Refused(
            "question", _("This holds the patient's code, which stays in the clinic. Leave it out.")
        )
    nonce = new_nonce()
    secret = secret_of(nonce)
    opinion = SecondOpinion.objects.create(
        clinic_id=lesion.clinic_id, lesion=lesion, asked_by=user, name=name, email=email, question=question,
        shows=[key for key in SecondOpinion.Show.values if key in set(shows)],
        secret_sha256=secret_hash(secret), expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    opinion.photos.set(photos)
    if address:
        opinion.letter = _post(opinion, address(letters.SECRET), nonce)
        opinion.save(update_fields=["letter"])
    return opinion, secret


def find(secret: str) -> SecondOpinion:
    """The open question of a link. Raises NoSuchLink and LinkEnded."""
    rows = SecondOpinion.objects.select_related("clinic", "asked_by", "lesion__patient")
    opinion = rows.filter(secret_sha256=secret_hash(secret)).first()
    if opinion is None:
        raise NoSuchLink
    acting.by_link(acting.Via.OPINION, opinion, opinion.whom)
    if opinion.withdrawn_at:
        raise LinkEnded(opinion, WITHDRAWN)
    if opinion.is_expired:
        raise LinkEnded(opinion, EXPIRED)
    patient = opinion.lesion.patient
    refuses = patient is not None and patient.research_consent == Patient.Consent.REFUSED
    stands = Lesion.objects.filter(pk=opinion.lesion_id, is_archived=False).exists()
    if refuses or not stands or not photos_of(opinion):
        raise LinkEnded(opinion, GONE)
    return opinion


def photos_of(opinion: SecondOpinion) -> list[Photo]:
    """The chosen photos that still lie in the lesion, oldest first."""
    return list(opinion.photos.filter(lesion=opinion.lesion_id).order_by("captured_at", "created_at", "pk"))


def note_look(opinion: SecondOpinion, what: str, address: str | None) -> None:
    """Write down that somebody looked. Raises TooOften, having written nothing."""
    now = timezone.now()
    if opinion.looks.filter(at__gt=now - timedelta(minutes=1)).count() >= MOST_A_MINUTE:
        raise TooOften
    OpinionLook.objects.create(clinic_id=opinion.clinic_id, opinion=opinion, what=what, address=address)
    if what == What.PAGE and opinion.opened_at is None:
        SecondOpinion.objects.filter(pk=opinion.pk, opened_at=None).update(opened_at=now)


def last_given(opinion: SecondOpinion) -> OpinionGiven | None:
    """The answer that stands."""
    return opinion.given.first()


@transaction.atomic
def answer(opinion: SecondOpinion, said: dict[str, Any]) -> OpinionGiven:
    """Keep what the colleague answers (the fields of ``OpinionGiven``); the same again changes nothing. Raises
    LinkEnded where the link has ended meanwhile, and Refused."""
    held = SecondOpinion.objects.select_for_update(of=("self",)).get(pk=opinion.pk)
    if not held.is_open:
        raise LinkEnded(held, WITHDRAWN if held.withdrawn_at else EXPIRED)
    before = last_given(held)
    if before and all(getattr(before, name) == value for name, value in said.items()):
        return before
    if held.given.count() >= MOST_ANSWERS:
        raise Refused("comment", _("The answer was changed very often. The last one stands."))
    return OpinionGiven.objects.create(
        clinic_id=held.clinic_id, opinion=held, after_more=bool(before and held.shows_later), **said
    )


@transaction.atomic
def withdraw(opinion: SecondOpinion, user: User) -> bool:
    """End it at once; False where it had ended already."""
    rows = SecondOpinion.objects.filter(pk=opinion.pk, withdrawn_at=None)
    if not rows.update(withdrawn_at=timezone.now(), withdrawn_by=user):
        return False
    letters.withdraw(opinion.letter)
    Call.objects.filter(opinion=opinion, done_at=None).update(done_at=timezone.now())
    return True


def of_lesion(lesion: Lesion) -> QuerySet[SecondOpinion]:
    """Everybody who was asked about the lesion, the last first."""
    rows = lesion.second_opinions.select_related("asked_by", "colleague", "withdrawn_by", "letter__job")
    return rows.prefetch_related("given", "looks", "photos").annotate(
        has_answer=Exists(OpinionGiven.objects.filter(opinion=OuterRef("pk")))
    )


@on_withdrawal
def end_links(patient: Patient, user: User | None, act: bool) -> list[Effect]:
    """Links to somebody outside end where the patient refuses; never asked is no refusal."""
    if act and patient.research_consent != Patient.Consent.REFUSED:
        return []
    rows = SecondOpinion.objects.filter(
        lesion__patient=patient, colleague=None, withdrawn_at=None, expires_at__gt=timezone.now()
    )
    ending = list(rows.select_related("letter__job"))
    if act and ending:
        rows.update(withdrawn_at=timezone.now(), withdrawn_by=user)
        for opinion in ending:
            letters.withdraw(opinion.letter)
    return links_end("second_opinions", len(ending))


def links_end(key: str, count: int) -> list[Effect]:
    """That so many links to somebody outside end, as something that follows."""
    words = ngettext(
        "%(count)s link for a second opinion outside the clinic ends.",
        "%(count)s links for second opinions outside the clinic end.",
        count,
    )
    return [Effect(key, count, words % {"count": count})] if count else []


def _post(opinion: SecondOpinion, link: str, nonce: str) -> Letter | None:
    context = {"opinion": opinion, "link": link}
    return letters.post(
        opinion.clinic,
        opinion.email,
        _("%(name)s asks for your second opinion") % {"name": opinion.asked_by},
        render_to_string("opinions/mail.txt", context),
        nonce=nonce,
    )
