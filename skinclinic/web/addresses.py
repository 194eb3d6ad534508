"""Addresses of pages and static files that are looked up once a process, not once for each place that shows them."""

from functools import lru_cache

from django.core.signals import setting_changed
from django.templatetags import static as static_files
from django.urls import get_script_prefix, get_urlconf, reverse

# No other part of an address is this number.
_NUMBER = 9_876_543_210_123


def url(name: str, *args: object) -> str:
    """The address of a page. Looked up once a process for each name, a row's number is put in afterwards."""
    if len(args) == 1 and type(args[0]) is int:
        before, after = around(name)
        return f"{before}{args[0]}{after}"
    return reverse(name, args=args) if args else _address(name, get_script_prefix(), get_urlconf())


def around(name: str) -> tuple[str, str]:
    """What stands before and after the row's number in the address of a page; for lists, which look it up once."""
    return _around(name, get_script_prefix(), get_urlconf())


@lru_cache(512)
def _address(name: str, _prefix: str, urlconf: str | None) -> str:
    return reverse(name, urlconf)


@lru_cache(512)
def _around(name: str, _prefix: str, urlconf: str | None) -> tuple[str, str]:
    before, _number, after = reverse(name, urlconf, args=[_NUMBER]).partition(str(_NUMBER))
    return before, after


@lru_cache(512)
def static(name: str) -> str:
    """The address of a static file, under the name that its content gives it."""
    return static_files.static(name)


def _forget(*, setting: str, **_signal: object) -> None:
    """Tests change settings."""
    if setting in ("STORAGES", "STATIC_URL", "STATIC_ROOT", "DEBUG", "ROOT_URLCONF"):
        for known in (static, _address, _around):
            known.cache_clear()


setting_changed.connect(_forget, dispatch_uid="addresses.forget")
