"""How long a password may be, wherever one is set: on pages, by a link, on the server."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from skinclinic.models import User

# Long enough for any pass phrase; hashing a megabyte would only cost time.
LONGEST = 128


class NotTooLong:
    """Of any letters there are, spaces and pictures too; none is cut off."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > LONGEST:
            raise ValidationError(self.get_help_text(), "password_too_long")

    def get_help_text(self) -> str:
        return _("At most %(longest)d characters, of any kind.") % {"longest": LONGEST}
