"""Who may scrape ``/metrics`` and hear why a node is not ready; who looks after the whole installation."""

from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured

from .base import env

# Of whoever scrapes, as `Authorization: Bearer …`; METRICS_TOKEN_FILE names a file that holds it.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 32:
    raise ImproperlyConfigured("METRICS_TOKEN is too short: take 32 random characters or more.")
try:
    METRICS_NETWORKS = [ip_network(one) for one in env.list("METRICS_NETWORKS", default=[])]
except ValueError as wrong:
    raise ImproperlyConfigured(f"METRICS_NETWORKS is a list such as 10.1.0.0/16: {wrong}.") from None

# Sign-in names of admins who see and mend the jobs of every clinic (the queue page).
OPERATORS = [name.lower() for name in env.list("OPERATORS", default=[])]
