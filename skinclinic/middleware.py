"""The current clinic of a request."""

from skinclinic.models import Member

SESSION_KEY = "clinic"


class MembershipMiddleware:
    """Sets ``request.memberships`` (list) and ``request.membership``: the clinic chosen in this session,
    else the first, else None."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.memberships = _memberships(request.user)
        request.membership = _current(request)
        return self.get_response(request)


def _memberships(user) -> list[Member]:
    if not user.is_authenticated:
        return []
    return list(Member.objects.filter(user=user, is_active=True).select_related("clinic", "user"))


def _current(request) -> Member | None:
    if not request.memberships:
        return None
    chosen = request.session.get(SESSION_KEY)
    return next(
        (member for member in request.memberships if member.clinic.slug == chosen), request.memberships[0]
    )
