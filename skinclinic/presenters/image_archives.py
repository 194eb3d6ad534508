"""What the log of an image archive says in words."""

from django.utils.translation import gettext_lazy

from skinclinic.models import ImageSending
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

PROBLEMS = {
    "bad_address": gettext_lazy("This is no address of a web server."),
    "not_allowed": gettext_lazy(
        "The address leads into a private network, or is not https. The server's operator may allow it: "
        "IMAGE_ARCHIVE_NETWORKS."
    ),
    "no_such_host": gettext_lazy("No server of this name was found."),
    "no_answer": gettext_lazy("The archive did not answer in time."),
    "no_tls": gettext_lazy("The server's certificate is not valid."),
    "no_right": gettext_lazy("The archive wants other credentials."),
    "rejected": gettext_lazy("The archive refused the connection: does it know both AE titles?"),
    "kind_refused": gettext_lazy("The archive takes no objects of this kind, or not in JPEG."),
    "some_refused": gettext_lazy("The archive did not take all of the objects."),
    "refused": gettext_lazy("The archive did not take it."),
    "failed": gettext_lazy(
        "Something went wrong here, not in the archive. Send it again; if that fails, tell your administrator."
    ),
    "photo_gone": gettext_lazy("The photo was deleted, or is no patient's any more."),
    "file_gone": gettext_lazy("The stored photo cannot be read. Tell your administrator."),
}


def what(sending: ImageSending) -> str:
    """What was to be sent."""
    if not sending.photo_key:
        return _("Test")
    number = {"number": sending.photo_key}
    return (
        _("Photo %(number)d with heatmaps and scores") % number
        if sending.with_answer
        else _("Photo %(number)d") % number
    )


def outcome(sending: ImageSending) -> str:
    """What came of it so far."""
    said = str(sending.get_state_display())
    if sending.arrived:
        count = ngettext("%(count)d object", "%(count)d objects", sending.arrived) % {
            "count": sending.arrived
        }
        said += f" · {count}"
    return said


def why(sending: ImageSending) -> str:
    """Why it has not arrived; "" where it has or was not tried yet."""
    return str(PROBLEMS.get(sending.problem, ""))


def log(sendings) -> list[tuple[ImageSending, str, str, str]]:
    """Each with the words for it."""
    return [(one, what(one), outcome(one), why(one)) for one in sendings]
