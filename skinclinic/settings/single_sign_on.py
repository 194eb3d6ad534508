"""Signing in at the hospital's own OpenID Connect provider, where its address is set."""

from django.core.exceptions import ImproperlyConfigured

from .base import INSTALLED_APPS, env

OIDC_ISSUER = env("OIDC_ISSUER", default="").rstrip("/")
# What the button says.
OIDC_NAME = env("OIDC_NAME", default="hospital account")
# The claim that says what somebody is: a text or a list of texts.
OIDC_CLAIM = env("OIDC_CLAIM", default="groups")

# Who is blocked at the provider, or has another role there, is so here when they next sign in: sessions begun there end
# after so many minutes, whatever is done in them, and tokens of whoever has not signed in for so many days wait.
OIDC_SESSION_MINUTES = env.int("OIDC_SESSION_MINUTES", default=60)
OIDC_TOKEN_DAYS = env.int("OIDC_TOKEN_DAYS", default=7)


def _roles(text: str) -> list[tuple[str, str, str]]:
    """``derm-doctors=hanok:clinician, derm-admins=hanok:admin`` as (value of the claim, clinic, role)."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        value, _equals, target = part.rpartition("=")
        clinic, _colon, role = target.partition(":")
        if not value or not clinic or role not in ("clinician", "coordinator", "curator", "admin"):
            raise ImproperlyConfigured(
                f"OIDC_ROLES: {part!r} is not VALUE=CLINIC:ROLE, CLINIC being the short name of a clinic and ROLE "
                "clinician, coordinator, curator or admin."
            )
        found.append((value, clinic, role))
    return found


# The first that fits counts for its clinic.
OIDC_ROLES = _roles(env("OIDC_ROLES", default=""))
if OIDC_ISSUER and not OIDC_ROLES:
    raise ImproperlyConfigured("Set OIDC_ROLES as well: nobody would belong to any clinic.")

INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
SOCIALACCOUNT_ADAPTER = "skinclinic.services.single_sign_on.SingleSignOnAdapter"
# A link on the sign-in page; the policy of our pages lets no form lead elsewhere.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": env.list("OIDC_SCOPE", default=["openid", "profile", "email"]),
        "APPS": [
            {
                "provider_id": "hospital",
                "name": OIDC_NAME,
                "client_id": env("OIDC_CLIENT_ID", default=""),
                "secret": env("OIDC_CLIENT_SECRET", default=""),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
