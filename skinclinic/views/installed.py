"""What makes the product installable on a phone: the manifest, the service worker, and the page for no connection."""

import json
from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

ICONS = (
    ("icons/icon-192.png", "192x192", "any"),
    ("icons/icon-512.png", "512x512", "any"),
    ("icons/maskable-192.png", "192x192", "maskable"),
    ("icons/maskable-512.png", "512x512", "maskable"),
    ("logo.svg", "any", "any"),
)
# What the page for no connection looks like: the links of components/head.html.
SHELL = (
    "js/theme.js",
    "logo.svg",
    "css/bootstrap.css",
    "css/tokens.css",
    "css/base.css",
    "css/layout.css",
    "css/components.css",
    "css/photo.css",
)


@login_not_required
@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """The web app manifest."""
    home = reverse("worklist")
    facts = {
        "id": home,
        "name": "SkinClinic",
        "short_name": "SkinClinic",
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#f4f6f6",
        "theme_color": "#0b6b74",
        "icons": [
            {
                "src": static(path),
                "sizes": sizes,
                "type": "image/svg+xml" if path.endswith(".svg") else "image/png",
                "purpose": purpose,
            }
            for path, sizes, purpose in ICONS
        ],
    }
    return JsonResponse(
        facts, content_type="application/manifest+json", headers={"Cache-Control": "no-cache"}
    )


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker, which stands at the root because it may answer only for what lies under it. A new release is a new
    worker, which drops what the one before kept."""
    shell = {
        "version": getattr(staticfiles_storage, "manifest_hash", "") or "plain",
        "static": settings.STATIC_URL,
        "offline": reverse("offline"),
        "files": [static(path) for path in SHELL],
    }
    script = f"self.SHELL = {json.dumps(shell)};\n{_script()}"
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


@login_not_required
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page for no connection, in every language: the same for everybody."""
    response = render(request, "installed/offline.html", {"LANGUAGES": settings.LANGUAGES})
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _script() -> str:
    return (settings.BASE_DIR / "static" / "js" / "service-worker.js").read_text(encoding="utf-8")
