"""What every page knows about the clinic and the session."""

from django.conf import settings


def clinic(request) -> dict:
    return {
        "membership": getattr(request, "membership", None),
        "clinics": getattr(request, "memberships", []),
        "idle_limit": settings.SESSION_IDLE_SECONDS,
    }
