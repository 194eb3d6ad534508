"""Addresses of the API: the version in them, and the slash at their end."""

from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.urls import is_valid_path

CURRENT = "v1"
BASE = f"/api/{CURRENT}/"
# Since when addresses without a version are those of before (RFC 9745: seconds since 1970).
SINCE = "@1795910400"


class VersionMiddleware:
    """Addresses of before there were versions (``/api/patients/``) go on answering, as those of version 1, and name
    the address they mean in ``Link``. What is no address of version 1 (``/api/v2/patients/``) is none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        path = request.path_info
        if path == "/api":
            # To be led on by its slash, as /api/v1 is.
            request.path, request.path_info = request.path + f"/{CURRENT}", BASE.rstrip("/")
        if not path.startswith("/api/") or path.startswith(BASE):
            return self.get_response(request)
        meant = BASE + path.removeprefix("/api/")
        if not is_valid_path(meant) and not is_valid_path(f"{meant}/"):
            return self.get_response(request)
        request.path = request.path.removesuffix(path) + meant
        request.path_info = meant
        response = self.get_response(request)
        response["Deprecation"] = SINCE
        response["Link"] = f'<{request.build_absolute_uri(request.path)}>; rel="successor-version"'
        return response


class SlashMiddleware(CommonMiddleware):
    """Leads on to the address with its slash. A request of the API that is no GET stays what it is, with its body
    (308): by 301 programs send it again as GET, and take the list that they get for success."""

    def process_response(self, request, response):
        response = super().process_response(request, response)
        is_read = request.method in ("GET", "HEAD")
        if response.status_code != 301 or is_read or not request.path.startswith("/api/"):
            return response
        return HttpResponsePermanentRedirect(response["Location"], preserve_request=True)
