"""Small helpers for tests of pages."""

from django.urls import reverse

from skinclinic.models import AuditEvent

MILLION = "x" * 1_000_000
# What no text field may turn into a server error.
NASTY = ["\x00", MILLION, "a\nb", "‮abc", "<script>alert(1)</script>", "'; DROP TABLE x; --", ""]


def url(name: str, *args) -> str:
    return reverse(name, args=args)


def messages_of(response) -> str:
    """The messages the next page shows."""
    from django.contrib.messages import get_messages

    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def audited(*actions: str) -> bool:
    """Whether the audit has a row of each of these actions."""
    return set(actions) <= set(AuditEvent.objects.values_list("action", flat=True))
