"""Who may call the API: members. Which row and which change is decided by ``skinclinic.permissions``."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from skinclinic.permissions import EDIT, VIEW


class ClinicPermission(BasePermission):
    """Signed in. Rows are then reached through ``permissions.get_for``, which answers 404 or 403."""

    def has_permission(self, request, view) -> bool:
        return request.user.is_authenticated


def need_of(request, view) -> str:
    """The right a request needs: to look, or the view's ``need`` (by action, else one) to change."""
    if request.method in SAFE_METHODS:
        return VIEW
    needs = getattr(view, "needs", {})
    return needs.get(getattr(view, "action", ""), getattr(view, "need", EDIT))
