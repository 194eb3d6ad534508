"""What the environment says; of each NAME also what lies in the file that NAME_FILE names, as secrets lie."""

from urllib.parse import quote, urlsplit, urlunsplit

import environ


class _FromFiles(environ.FileAwareEnv.ENVIRON.__class__):
    """A file that was written with echo ends in a line break, which is no part of the secret. A text that begins with $
    is that text, as a key or a password may, and not the name of another variable."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        value = value.strip() if f"{key}_FILE" in self.env else value
        return value.replace("$", r"\$")


class Environment(environ.FileAwareEnv):
    ENVIRON = _FromFiles()

    def __init__(self, **scheme):
        super().__init__(**scheme)
        # Takes what was put before each $ away again.
        self.escape_proxy = True


def with_password(url: str, password: str) -> str:
    """The address with this password, whatever letters it has; one that stands there stays where none is given."""
    if not password:
        return url
    parts = urlsplit(url)
    user = parts.username or ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
