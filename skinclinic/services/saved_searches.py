"""Searches of the worklist that are kept under a name: a person's own, and the clinic's."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from skinclinic.kept_queries import kept
from skinclinic.models import Member, SavedSearch, User
from skinclinic.services import worklist
from skinclinic.services.refused import Refused
from skinclinic.services.worklist import Filters
from skinclinic.web.counts import gettext as _

LONGEST = 60
# Each is counted with the list, so there are not very many.
MOST = 20


@dataclass(frozen=True)
class Shown:
    search: SavedSearch
    filters: Filters
    count: int
    is_here: bool
    may_change: bool


@kept
def _of(clinic: int, user: int) -> QuerySet[SavedSearch]:
    """The clinic's and the person's own, by name."""
    return SavedSearch.objects.filter(Q(owner=None) | Q(owner=user), clinic=clinic)[: 2 * MOST]


def may_change(search: SavedSearch, member: Member, user: User) -> bool:
    """One's own; of the clinic's, what one has saved oneself, and for admins all."""
    return search.owner_id == user.pk or (
        search.owner_id is None and (member.is_admin or search.created_by_id == user.pk)
    )


def shown(member: Member, user: User, here: Filters, *, answers_open: bool) -> list[Shown]:
    """Those that the person has, with how many cases each shows now."""
    found = []
    for search in _of(member.clinic_id, user.pk):
        filters = Filters.read(search.filters)
        rows = worklist.lesions(member.clinic, user, filters, answers_open=answers_open)
        found.append(
            Shown(search, filters, worklist.count(rows), filters == here, may_change(search, member, user))
        )
    return found


def save(member: Member, user: User, name: str, filters: Filters, *, for_clinic: bool) -> SavedSearch:
    """Keep a view with its filters and order. Raises Refused."""
    name = _tidy(name)
    owner = None if for_clinic else user
    if member.clinic.saved_searches.filter(owner=owner).count() >= MOST:
        raise Refused(
            "name", _("There are %(most)s saved searches already. Delete one first.") % {"most": MOST}
        )
    search = SavedSearch(
        clinic=member.clinic, name=name, filters=filters.to_json(), owner=owner, created_by=user
    )
    return _written(search)


def rename(search: SavedSearch, name: str) -> SavedSearch:
    """Raises Refused."""
    search.name = _tidy(name)
    return _written(search)


def _written(search: SavedSearch) -> SavedSearch:
    try:
        with transaction.atomic():
            search.save()
    except IntegrityError:
        said = _("There is a saved search “%(name)s” already. Choose another name.")
        raise Refused("name", said % {"name": search.name}) from None
    return search


def _tidy(name: str) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise Refused("name", _("Name the search."))
    if len(name) > LONGEST:
        message = _("Shorten this to %(longest)s characters; it has %(count)s.")
        raise Refused("name", message % {"longest": LONGEST, "count": len(name)})
    return name
