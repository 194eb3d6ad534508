"""What was filed a moment ago, kept in the session so that it can be undone."""

from django.http import HttpRequest

from skinclinic.web.counts import ngettext

RECEIPT = "filing_receipt"
SHOWN = "filing_shown"


def remember(request: HttpRequest, receipt: dict, *, shown: bool = False) -> None:
    """Keep the receipt of a filing; the next page offers to undo it, unless this one does already (``shown``)."""
    request.session[RECEIPT] = receipt
    request.session[SHOWN] = shown


def filed_just_now(request: HttpRequest) -> dict | None:
    """The receipt of the last filing, for the one page that comes after it."""
    if request.session.get(SHOWN, True):
        return None
    request.session[SHOWN] = True
    return request.session.get(RECEIPT)


def take(request: HttpRequest) -> dict | None:
    """The receipt to undo; it can be taken once."""
    request.session.pop(SHOWN, None)
    return request.session.pop(RECEIPT, None)


def said(receipt: dict) -> str:
    """What was filed, in words."""
    count = len(receipt["photos"])
    words = ngettext(
        "%(count)s photo is filed under %(code)s.", "%(count)s photos are filed under %(code)s.", count
    )
    return words % {"count": count, "code": receipt["code"]}
