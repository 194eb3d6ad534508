"""Owners of tokens are told by mail two weeks before one ends, so that no program stops unawares."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from skinclinic.engine import clock
from skinclinic.engine.housekeeping import broom
from skinclinic.models import ApiToken
from skinclinic.services import account_mail, mail

BEFORE = timedelta(days=14)
# Who makes one for some days or weeks knows that it ends.
SHORT = timedelta(days=28)
TOGETHER = 50


@broom
def remind() -> None:
    now = clock.now()
    ending = ApiToken.objects.filter(
        revoked_at=None, reminded_at=None, expires_at__gt=now, expires_at__lte=now + BEFORE
    ).filter(expires_at__gt=F("created_at") + SHORT)
    if not mail.can_mail() or not ending.exists():
        return
    with transaction.atomic():
        rows = list(ending.select_for_update(of=("self",)).select_related("owner", "created_by")[:TOGETHER])
        for token in rows:
            ends = formats.date_format(timezone.localtime(token.expires_at), "DATE_FORMAT")
            words = _("The token “%(name)s” ends on %(date)s. Make a new one before.")
            # A service account has no address: whoever made its token has.
            person = token.owner if token.owner.email else token.created_by
            if person is not None:
                account_mail.notify(person, words % {"name": token.name, "date": ends})
        ApiToken.objects.filter(pk__in=[token.pk for token in rows]).update(reminded_at=now)
