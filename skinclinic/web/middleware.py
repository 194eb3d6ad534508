"""What every request passes: its clinic, sign-in, the size of its body, and that private pages stay private."""

from functools import wraps

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.shortcuts import redirect, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from skinclinic import permissions
from skinclinic.kept_queries import kept
from skinclinic.models import Member, User
from skinclinic.services import second_factor
from skinclinic.services.scanning import Infected
from skinclinic.web.come_back import ComeBack
from skinclinic.web.errors import DELETED, come_back, forbidden_unread, infected, not_found, too_large
from skinclinic.web.logs import masked
from skinclinic.web.requests import is_from_script, is_of_another_person, json_error, page_to_return_to
from skinclinic.web.tokens import writing_token

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


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends signed-out people to the sign-in page, but tells scripts 401, so that an open page can ask for
    the password in place and keep what was typed. A page that was made for somebody else counts as signed out."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        if is_of_another_person(request) and getattr(view_func, "login_required", True):
            return self.handle_no_permission(request, view_func)
        if _needs_second_factor(request, view_func):
            if is_from_script(request):
                return json_error(403, "second_factor_needed", _("Set up a second factor first."))
            return redirect("mfa_index")
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request, view_func):
        if is_from_script(request):
            return json_error(401, "not_authenticated", _("Your session has ended. Sign in again."))
        back = page_to_return_to(request)
        # Whoever has opened the product's address alone begins where the work of their role is.
        return redirect_to_login(
            resolve_url(settings.LOGIN_REDIRECT_URL) if back in ("", "/") else back,
            self.get_login_url(view_func),
            self.get_redirect_field_name(view_func),
        )


def before_second_factor(view):
    """Decorate a view that is open to who has signed in and has yet to set up the second factor their role needs."""

    @wraps(view)
    def same(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    same.before_second_factor = True  # type: ignore[attr-defined]  # read by SignInMiddleware
    return same


def _needs_second_factor(request, view) -> bool:
    """Whether this page or answer waits until who is signed in has set one up. A token is not asked: it has a scope."""
    if not request.user.is_authenticated or getattr(view, "before_second_factor", False):
        return False
    in_api = request.path.startswith("/api/")
    if in_api and request.headers.get("Authorization"):
        return False
    return (in_api or getattr(view, "login_required", True)) and second_factor.is_missing(request)


class DeletedMeanwhileMiddleware:
    """Answers 404 where somebody has deleted a patient, a lesion or a photo between the moment this request found it
    and the moment it wanted to change it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        return not_found(request) if isinstance(exception, DELETED) else None


class ComeBackMiddleware:
    """Answers 503 or 429 with Retry-After where a view was asked too much at once or too often, and says which file of
    a form holds a virus where the view itself does not."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Infected):
            return infected(request, exception)
        return come_back(request, exception) if isinstance(exception, ComeBack) else None


class BodySizeMiddleware:
    """Refuses a body that is too large by its announced length, before anything reads it.

    Comes before the CSRF check, which would read the whole form first. A view decorated with
    ``takes_up_to`` (an API class: with an attribute ``max_body_bytes``) may take more than UPLOAD_MAX_BYTES,
    from signed-in people only; where the view says what right it needs (``clinic_member``, ``need`` of an API class),
    only from people who have it.
    """

    # Field names, boundaries and the other fields of the form round a file.
    ROOM = 1024 * 1024

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        try:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = 0
        limit, view = settings.UPLOAD_MAX_BYTES, getattr(view, "cls", view)
        if announced <= min(self.ROOM, limit + self.ROOM):
            return None
        user = _sender_of(request)
        if user is not None:
            limit = getattr(view, "max_body_bytes", limit)
            if limit > settings.UPLOAD_MAX_BYTES and not _may_send(request, user, getattr(view, "need", "")):
                return forbidden_unread(request)
        return too_large(request, limit) if announced > limit + self.ROOM else None


def takes_up_to(max_bytes: int):
    """Decorate a view that takes larger uploads than a photo."""

    def decorate(view):
        @wraps(view)
        def same(request, *args, **kwargs):
            return view(request, *args, **kwargs)

        same.max_body_bytes = max_bytes  # type: ignore[attr-defined]  # read by BodySizeMiddleware
        return same

    return decorate


class PrivatePagesMiddleware:
    """Keeps what signed-in people see out of every cache, so that Back after sign-out shows nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class DevicesMiddleware:
    """No page may use camera, microphone or place but those decorated with ``uses_camera``; choosing or taking a photo
    in a form is the phone's own and needs none of it."""

    NONE = "camera=(), microphone=(), geolocation=()"
    CAMERA = "camera=(self), microphone=(), geolocation=()"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", self.NONE)
        return response


def uses_camera(view):
    """Decorate a view whose page reads codes with the camera."""

    @wraps(view)
    def same(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["Permissions-Policy"] = DevicesMiddleware.CAMERA
        return response

    return same


class ApiAnswersMiddleware:
    """What the API answers is data: a browser that is led to its address keeps it as a file and shows it as no page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        kind = response.get("Content-Type", "").partition(";")[0]
        if request.path.startswith("/api/") and kind and kind != "text/html":
            how = response.get("Content-Disposition", 'attachment; filename="api.json"')
            response["Content-Disposition"] = how.replace("inline", "attachment", 1)
        return response


class SecretLinksMiddleware:
    """Lets pages whose address holds a secret tell no other request, and so no log, where they come from."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        address = request.get_full_path()
        if masked(address) != address:
            response.headers.setdefault("Referrer-Policy", "strict-origin")
        return response


def _sender_of(request) -> User | None:
    """Whose session, or whose API token that may change something, comes with the request."""
    if request.user.is_authenticated:
        return request.user
    token = writing_token(request)
    return token.owner if token else None


def _may_send(request, user: User, need: str) -> bool:
    """Whether the right is there: on a page in the current clinic, for a program in any of its clinics."""
    if not need:
        return True
    if request.user.is_authenticated and not request.path.startswith("/api/"):
        return permissions.may(request.membership, need)
    return any(permissions.may(member, need) for member in _memberships(user))


def _memberships(user) -> list[Member]:
    if not user.is_authenticated:
        return []
    found = _members(user.pk)
    for member in found:
        # Known already; the database need not send it once more with every page.
        member.user = user
    # What is asked of the person during this request (``permissions.membership``) is not looked up again.
    user.found_memberships = found
    return found


@kept
def _members(user: int) -> QuerySet[Member]:
    rows = Member.objects.filter(user=user, is_active=True)
    return rows.select_related("clinic").order_by("clinic__name")


def _current(request) -> Member | None:
    if not request.memberships:
        return None
    chosen = request.session.get(SESSION_KEY)
    return next(
        (member for member in request.memberships if member.clinic.slug == chosen), request.memberships[0]
    )
