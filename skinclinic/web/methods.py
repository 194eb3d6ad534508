"""Methods of requests: those that pages and the API know, and no other."""

from django.http import HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from skinclinic.web.requests import is_from_script, json_error

PAGES = ("GET", "HEAD", "POST", "OPTIONS")
API = (*PAGES, "PUT", "PATCH", "DELETE")


class HeadMiddleware:
    """HEAD in the API is GET, whose body the server does not send: no view takes it for a method that changes
    something, or for none of its own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method != "HEAD" or not request.path.startswith("/api/"):
            return self.get_response(request)
        request.method = "GET"
        try:
            return self.get_response(request)
        finally:
            request.method = "HEAD"


class MethodsMiddleware:
    """Answers 405 before anything else looks at the request: a view that names no methods would take any for GET."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        known = API if request.path.startswith("/api/") else PAGES
        if request.method in known:
            return self.get_response(request)
        response: HttpResponse = HttpResponseNotAllowed(known)
        if is_from_script(request):
            message = _("This address is not asked in this way.")
            response = json_error(405, "method_not_allowed", message)
            response["Allow"] = ", ".join(known)
        return response
