"""What a request carries once the middleware has passed it, and questions that have nothing to do with any page."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from skinclinic.models import Member, User

# Seconds, by status: a server that starts again is there soon, room on a disk takes a person.
WORTH_ANOTHER_TRY = {503: 15, 507: 300}


class ClinicRequest(HttpRequest):
    """What every view gets: the middleware has said whose clinics they are and which of them is the current one."""

    htmx: HtmxDetails
    memberships: list[Member]
    membership: Member | None


class SignedInRequest(ClinicRequest):
    """In every view but those with ``login_not_required``."""

    user: User


class MemberRequest(SignedInRequest):
    """In views that ``permissions.clinic_member`` guards, and what they call."""

    membership: Member


def is_from_script(request: HttpRequest) -> bool:
    """Whether a script of a page (htmx, fetch, XMLHttpRequest) or a program asks, not a person's browser tab."""
    headers = request.headers
    if headers.get("HX-Request") == "true" or headers.get("X-Requested-With"):
        return True
    if request.path.startswith("/api/"):
        return True
    if mode := headers.get("Sec-Fetch-Mode"):
        return mode != "navigate"
    accept = headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def client_address(request: HttpRequest) -> str:
    """The address a request comes from; "" if it is none. Only what our own proxies say of others is believed."""
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    ours = settings.PROXY_COUNT
    said = hops[-ours].strip() if 0 < ours <= len(hops) else ""
    try:
        return str(ip_address(said or request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return ""


def network_of(part: str) -> str:
    """The address itself; of IPv6 the network, of whose addresses a line has billions."""
    try:
        address = ip_address(part)
    except ValueError:
        return part
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else part


def is_of_another_person(request: HttpRequest) -> bool:
    """Whether the page that asks was made for somebody else: who signed in since would act without knowing it."""
    made_for = request.headers.get("X-Person", "")
    return bool(made_for) and made_for != str(request.user.pk or "")


def json_error(status: int, code: str, message: str, **more) -> JsonResponse:
    """An error in the one shape programs get; what is refused only for now says when it is worth another try."""
    response = JsonResponse({"error": {"code": code, "message": message} | more}, status=status)
    if seconds := WORTH_ANOTHER_TRY.get(status):
        response["Retry-After"] = str(seconds)
    return response


def page_to_return_to(request: HttpRequest) -> str:
    """Where to go after signing in: this page, or, when this was a form that was sent, the page it stood on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(referer)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return ""
