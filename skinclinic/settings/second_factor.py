"""The second factor at sign-in (django-allauth): which there are, who must have one."""

from .base import EMBEDDED, env
from .security import SESSION_COOKIE_AGE

# Admins change members, models and settings: on a server they sign in with a second factor whatever their clinic says.
# On one machine, such as the demo, nobody is made to.
SECOND_FACTOR_FOR_ADMINS = env.bool("SECOND_FACTOR_FOR_ADMINS", default=not EMBEDDED)

ACCOUNT_ADAPTER = "skinclinic.services.allauth_adapters.AccountAdapter"
# Ours are the limits that every process knows of (services/sign_in_limits.py).
ACCOUNT_RATE_LIMITS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_LOGIN_TIMEOUT = min(900, SESSION_COOKIE_AGE)

MFA_ADAPTER = "skinclinic.services.allauth_adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "skinclinic.forms.second_factor.CodeForm",
    "activate_totp": "skinclinic.forms.second_factor.FirstCodeForm",
}
MFA_RATE_LIMITS = False
# Clocks of telephones are some seconds off.
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "SkinClinic"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Our own step-up guards these pages.
MFA_REAUTHENTICATION_REQUIRED = False
MFA_ALLOW_UNVERIFIED_EMAIL = True
