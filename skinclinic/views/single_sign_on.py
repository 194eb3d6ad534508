"""To the hospital's own sign-in and back."""

import requests
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@login_not_required
@never_cache
@require_safe
def leave(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Send the person to the provider, to sign in and nothing else."""
    if request.GET.get("process", "login") != "login":
        raise Http404
    return _or_failed(request, oidc.login, provider_id)


@login_not_required
@never_cache
@require_safe
def come_back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends the person with a code."""
    return _or_failed(request, oidc.callback, provider_id)


def _or_failed(request: HttpRequest, view, provider_id: str) -> HttpResponseBase:
    try:
        return view(request, provider_id)
    except requests.RequestException:
        return render(request, "registration/sso_failed.html", status=502)
