"""How django-allauth asks and tells things here: through our limits, mails, words and keys."""

import base64
import hashlib
from collections.abc import Iterator

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from skinclinic.engine import clock
from skinclinic.models import User
from skinclinic.services import account_mail, second_factor
from skinclinic.web.requests import client_address

# What is mailed when somebody adds or removes a factor.
TOLD = {
    "mfa/email/totp_activated": gettext_lazy("An authenticator app was set up."),
    "mfa/email/totp_deactivated": gettext_lazy("The authenticator app was removed."),
    "mfa/email/webauthn_added": gettext_lazy("A passkey was added."),
    "mfa/email/webauthn_removed": gettext_lazy("A passkey was removed."),
    "mfa/email/recovery_codes_generated": gettext_lazy("New recovery codes were made."),
}


class AccountAdapter(DefaultAccountAdapter):
    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by invitations, and by the hospital's own sign-in."""
        return False

    def add_message(self, request, level, message_template=None, *args, **kwargs) -> None:
        """Pages say for themselves what was done."""

    def send_notification_mail(self, template_prefix, user, context=None, email=None) -> None:
        if what := TOLD.get(template_prefix):
            account_mail.notify(user, str(what))


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("That is not right. Try again."),
        "cannot_delete_authenticator": gettext_lazy(
            "Your role needs a second factor. Set up another one before you remove this."
        ),
    }

    def encrypt(self, text: str) -> str:
        """The database alone gives nobody a code."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # The SECRET_KEY was changed: nothing that is typed will be right, and an admin removes the factor.
            return base64.b32encode(hashlib.sha256(encrypted_text.encode()).digest()[:20]).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        if not isinstance(user, User) or not second_factor.is_required_of(user):
            return True
        return second_factor.of(user).exclude(pk=authenticator.pk).exists()

    def generate_authenticator_name(self, user, type) -> str:
        return _("Passkey %(number)d") % {
            "number": Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        }

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "SkinClinic"}


def _counters() -> Iterator[int]:
    """Numbers of the half minutes whose codes are right now; by the database's clock, where this process's is wrong."""
    counter = int(clock.moment().timestamp()) // mfa_settings.TOTP_PERIOD
    around = mfa_settings.TOTP_TOLERANCE
    yield from range(counter - around, counter + around + 1)


# It asks this machine's clock, and offers no other way.
totp.yield_hotp_counters_from_time = _counters


def _cipher() -> MultiFernet:
    """Of SECRET_KEY; former ones still open what they closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return hashlib.sha256(b"skinclinic.second_factor" + key.encode()).digest()
