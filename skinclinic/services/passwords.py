"""What a password must and may be, wherever one is set: on pages, by a link, on the server."""

import re

from django.contrib.auth.password_validation import CommonPasswordValidator, get_default_password_validators
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from skinclinic.models import User

SHORTEST = 12
# Long enough for any pass phrase; hashing a megabyte would only cost time.
LONGEST = 128


def rules_html() -> SafeString:
    """What is asked of a password, as a list; of those who only watch over passwords there is nothing to say."""
    texts = filter(None, (validator.get_help_text() for validator in get_default_password_validators()))
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in texts)))


class Length:
    """Of any letters there are, spaces and pictures too; none is cut off. Spaces in a row count as one."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(re.sub(r"\s+", " ", password)) < SHORTEST:
            raise ValidationError(
                _("At least %(shortest)d characters; spaces in a row count as one.") % {"shortest": SHORTEST},
                "password_too_short",
            )
        if len(password) > LONGEST:
            raise ValidationError(self.get_help_text(), "password_too_long")

    def get_help_text(self) -> str:
        return _("%(shortest)d to %(longest)d characters, of any kind.") % {
            "shortest": SHORTEST,
            "longest": LONGEST,
        }


class NotCommon(CommonPasswordValidator):
    """Django's list of those that everybody tries, also lengthened by digits and signs, or written twice and more."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > LONGEST:  # refused already, and long to look through
            return
        text = password.casefold().strip()
        word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
        repeated = re.fullmatch(r"(.+?)\1+", text)
        for tried in {text, word, repeated[1] if repeated else text}:
            super().validate(tried, user)
