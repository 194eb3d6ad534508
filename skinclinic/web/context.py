"""What every page knows about the clinic."""


def clinic(request) -> dict:
    return {
        "membership": getattr(request, "membership", None),
        "clinics": getattr(request, "memberships", []),
    }
