"""What takes data out needs a password of the last minutes, whichever address it comes from.

One rule for all of them: an answer that a browser keeps as a file, or one of the API that ``audited.py`` of its app
names as fetched, leaves only for who has signed in or confirmed lately. Programs come with a token, readers and
colleagues outside by a link of their own; neither is asked. Nor is anybody for documents of one patient's care: the
page shows the same, and each is written into the audit.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from skinclinic.services import step_up
from skinclinic.web.confirming import ConfirmFirst, answer
from skinclinic.web.looks import look_of

# A reader's own, by the reader's link.
BY_LINK = frozenset({"reading-result"})


class LeavingMiddleware:
    """Comes within the audit, which then writes down nothing that did not leave; and after rights, the view's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code not in (200, 206) or not leaves(request, response):
            return response
        try:
            if request.path.startswith("/api/"):
                step_up.require(request)
            else:
                step_up.require_for_download(request)
        except ConfirmFirst as asked:
            # ``close`` would end the request's connections as well.
            for close in response._resource_closers:
                close()
            return answer(request, asked)
        return response


def leaves(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the answer takes data out."""
    route = (request.resolver_match.url_name or "") if request.resolver_match else ""
    look = look_of(route)
    if route in BY_LINK or (look and look.of_care):
        return False
    is_file = response.get("Content-Disposition", "").startswith("attachment")
    is_fetched = look is not None and not look.is_view and request.method in look.methods
    return is_file or (is_fetched and request.path.startswith("/api/"))
