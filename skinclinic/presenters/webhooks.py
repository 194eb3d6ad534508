"""What a webhook's log says in words."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from skinclinic.models import Webhook, WebhookMessage
from skinclinic.services.webhooks import TEST

PROBLEMS = {
    "bad_address": gettext_lazy("This is no address of a web server."),
    "not_allowed": gettext_lazy(
        "The address leads into a private network, or is not https. The server's operator may allow it: "
        "WEBHOOK_NETWORKS."
    ),
    "no_such_host": gettext_lazy("No server of this name was found."),
    "no_answer": gettext_lazy("The server did not answer within 10 seconds."),
    "no_tls": gettext_lazy("The server's certificate is not valid."),
    "secret_lost": gettext_lazy(
        "The server's key was changed, so that nothing can be signed. Remove this webhook and make a new one."
    ),
    "refused": gettext_lazy("The server did not take it."),
    "failed": gettext_lazy(
        "Something went wrong here, not in the other system. Send it again; if that fails, tell your administrator."
    ),
}


def what(message: WebhookMessage) -> str:
    """What a message tells of."""
    return _("Test") if message.event == TEST else str(Webhook.Event(message.event).label)


def outcome(message: WebhookMessage) -> str:
    """What came of it so far."""
    said = str(message.get_state_display())
    if message.answered is not None:
        said += " · " + _("answer %(status)d") % {"status": message.answered}
    return said


def why(message: WebhookMessage) -> str:
    """Why it has not arrived; "" where it has or was not tried yet."""
    return str(PROBLEMS.get(message.problem, ""))


def log(messages: Iterable[WebhookMessage]) -> list[tuple[WebhookMessage, str, str, str]]:
    """Each with the words for it."""
    return [(one, what(one), outcome(one), why(one)) for one in messages]
