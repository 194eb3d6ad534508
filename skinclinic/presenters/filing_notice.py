"""What was filed a moment ago, kept in the session so that it can be undone."""

from django.http import HttpRequest

RECEIPT = "filing_receipt"
SHOWN = "filing_shown"


def remember(request: HttpRequest, receipt: dict) -> None:
    """Keep the receipt of a filing; the next page offers to undo it."""
    request.session[RECEIPT] = receipt
    request.session[SHOWN] = False


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
