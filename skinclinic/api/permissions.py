"""Who may call the API: members. Which row and which change is decided by ``skinclinic.permissions``."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from skinclinic.api import strict
from skinclinic.permissions import EDIT, VIEW


class ClinicPermission(BasePermission):
    """Signed in. Rows are then reached through ``permissions.get_for``, which answers 404 or 403."""

    def has_permission(self, request, view) -> bool:
        return request.user.is_authenticated


class KnownParameters(BasePermission):
    """What an address asks with is what there is, as ``asked_with`` of the view has it by action (of views without
    actions by method): what would be passed over without a word is an error. Permissions alone run for every view once
    it is known who asks. Lists are held to what their filters know (``filtering.py``)."""

    def has_permission(self, request, view) -> bool:
        asked_for = getattr(view, "action", None) or request.method.lower()
        if asked_for != "list":
            strict.only_asked(request, *getattr(view, "asked_with", {}).get(asked_for, ()))
        return True


def need_of(request, view) -> str:
    """The right a request needs: to look, or the view's ``need`` (by action, else one) to change."""
    if request.method in SAFE_METHODS:
        return VIEW
    needs = getattr(view, "needs", {})
    return needs.get(getattr(view, "action", ""), getattr(view, "need", EDIT))
