"""The version in the addresses of the API."""

CURRENT = "v1"
BASE = f"/api/{CURRENT}/"
# Since when addresses without a version are those of before (RFC 9745: seconds since 1970).
SINCE = "@1795910400"


class VersionMiddleware:
    """Addresses of before there were versions (``/api/patients/``) go on answering, as those of version 1, and name
    the address they mean in ``Link``."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        path = request.path_info
        if not path.startswith("/api/") or path.startswith(BASE):
            return self.get_response(request)
        rest = path.removeprefix("/api/")
        request.path = request.path.removesuffix(path) + BASE + rest
        request.path_info = BASE + rest
        response = self.get_response(request)
        response["Deprecation"] = SINCE
        response["Link"] = f'<{request.build_absolute_uri(request.path)}>; rel="successor-version"'
        return response
