"""Calling a member to a case: kept until it is done, shown in the worklist under *For me*, and mailed without a word
of any patient."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Count, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from skinclinic.kept_queries import kept
from skinclinic.models import Call, Clinic, Comment, Lesion, Member, SecondOpinion, User
from skinclinic.services import letters


def call(
    lesion: Lesion,
    people: Iterable[User],
    by: User,
    why: str,
    *,
    comment: Comment | None = None,
    opinion: SecondOpinion | None = None,
) -> None:
    """Call each of the people, and mail those who have an address. In the transaction of what calls them."""
    for person in people:
        Call.objects.create(
            clinic_id=lesion.clinic_id, lesion=lesion, user=person, why=why, called_by=by, comment=comment,
            opinion=opinion,
        )  # fmt: skip
        letters.post(lesion.clinic, person.email, *_words(by, why))


def open_at(lesion: Lesion, user: User) -> QuerySet[Call]:
    """What calls the person to the lesion."""
    return Call.objects.filter(lesion=lesion, user=user, done_at=None)


def count_for(member: Member) -> int:
    """How many cases of the clinic wait for the member."""
    return _counted(member.clinic_id, member.user_id)[0]


@kept
def _counted(clinic: int, user: int) -> QuerySet[Clinic, int]:
    rows = Call.objects.filter(clinic=clinic, user=user, done_at=None).exclude(lesion__is_archived=True)
    number = rows.order_by().values("clinic").values_list(Count("lesion", distinct=True))
    return Clinic.objects.filter(pk=clinic).values_list(Coalesce(Subquery(number), 0), flat=True)


def waiting(member: Member) -> int:
    """The same, asked once for each time that the member was read: the frame of a page asks twice, and where nothing
    waits nobody need look for what calls the member to a case."""
    known: dict = member.__dict__
    if "waiting" not in known:
        known["waiting"] = count_for(member)
    return known["waiting"]


def finish(lesion: Lesion, user: User, why: str = "") -> int:
    """The person has seen to it; how many calls that ends. ``why``: of that kind only."""
    rows = open_at(lesion, user)
    return (rows.filter(why=why) if why else rows).update(done_at=timezone.now())


def _words(by: User, why: str) -> tuple[str, str]:
    """Subject and text, in every language of the product: none is known of somebody who is not here."""
    subjects, texts = [], []
    for language, _title in settings.LANGUAGES:
        with override(language):
            if why == Call.Why.OPINION:
                said = _("%(name)s asks for your opinion on a case") % {"name": by}
            else:
                said = _("%(name)s names you in a comment on a case") % {"name": by}
            subjects.append(said)
            where = (
                _("Open the list:") + f"\n{settings.PUBLIC_ADDRESS}{reverse('worklist')}?show=for-me"
                if settings.PUBLIC_ADDRESS
                else _("It is in the worklist, under For me.")
            )
            texts.append(f"{said}.\n{where}")
    return "SkinClinic: " + " / ".join(dict.fromkeys(subjects)), "\n\n".join(dict.fromkeys(texts)) + "\n"
