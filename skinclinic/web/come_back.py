"""What is refused only for now: too much at once, or too often.

Pages and API say so in the same words, with the seconds after which it is worth another try (``Retry-After``).
"""

from django.utils.translation import gettext as _


class ComeBack(Exception):
    """Nothing was done; the message says why. ``code``: for programs; ``seconds``: until another try."""

    status, template = 503, "come_back.html"
    # In words, where the template says it apart from the message.
    wait = ""

    def __init__(self, code: str, message: str, seconds: int):
        super().__init__(message)
        self.code, self.seconds = code, seconds


class Busy(ComeBack):
    """More photos come at once than can be looked at."""

    def __init__(self, seconds: int):
        super().__init__(
            "busy",
            _("Many photos are coming in just now. This one was not stored; send it again in a moment."),
            seconds,
        )


class TooOften(ComeBack):
    """More attempts in this hour than one may have."""

    status = 429

    def __init__(self, seconds: int):
        super().__init__(
            "too_many",
            _(
                "These were many photos for one hour. Nothing more was stored. Try again in %(minutes)d minutes."
            )
            % {"minutes": -(-seconds // 60)},
            seconds,
        )
