"""The clinic and the person a command is told to work for."""

from django.core.management.base import CommandError

from skinclinic.models import Clinic, User


def clinic(slug: str | None) -> Clinic:
    """The clinic of this short name, or the only one there is. Raises CommandError, naming those there are."""
    found = Clinic.objects.filter(slug=slug) if slug else Clinic.objects.all()
    if found.count() != 1:
        names = ", ".join(Clinic.objects.values_list("slug", flat=True))
        raise CommandError(f"Say which clinic with --clinic: {names or 'there is none yet'}")
    return found.get()


def user(username: str | None) -> User | None:
    """The person of this name; None when none is given. Raises CommandError."""
    if not username:
        return None
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist:
        raise CommandError(f"There is nobody with the name {username}.") from None
