"""Whoever must wait is told so, and for how long: too many tries to sign in, or too many people at once."""

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from skinclinic.web.requests import is_from_script, json_error


class MustWait(Exception):
    """Too many tries failed; another may be made after so many seconds."""

    status, code, template = 429, "locked", "registration/locked.html"

    def __init__(self, seconds: float):
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(self.seconds)

    @property
    def message(self) -> str:
        return _("Too many tries have failed. %(wait)s") % {"wait": wait_in_words(self.seconds)}


class Busy(MustWait):
    """More people sign in at this moment than the server looks at."""

    status, code, template = 503, "busy", "registration/busy.html"

    @property
    def message(self) -> str:
        return _("Many people are signing in at this moment. %(wait)s") % {
            "wait": wait_in_words(self.seconds)
        }


def wait_in_words(seconds: int) -> str:
    if seconds < 60:
        text = ngettext(
            "Wait %(number)d second, then try again.", "Wait %(number)d seconds, then try again.", seconds
        )
        return text % {"number": seconds}
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "Wait %(number)d minute, then try again.", "Wait %(number)d minutes, then try again.", minutes
    )
    return text % {"number": minutes}


class MustWaitMiddleware:
    """Answers 429 or 503 with Retry-After, wherever in a page the password was asked for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, MustWait):
            return None
        response: HttpResponse
        if is_from_script(request):
            response = json_error(exception.status, exception.code, exception.message)
        else:
            context = {"wait": wait_in_words(exception.seconds)}
            response = render(request, exception.template, context, status=exception.status)
        response["Retry-After"] = str(exception.seconds)
        return response
