"""What the environment says; of each NAME also what lies in the file that NAME_FILE names, as secrets lie."""

from urllib.parse import quote, urlsplit, urlunsplit

import environ


class _FromFiles(environ.FileAwareEnv.ENVIRON.__class__):
    """A file that was written with echo ends in a line break, which is no part of the secret."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.strip() if f"{key}_FILE" in self.env else value


class Environment(environ.FileAwareEnv):
    ENVIRON = _FromFiles()


def with_password(url: str, password: str) -> str:
    """The address with this password, whatever letters it has; one that stands there stays where none is given."""
    if not password:
        return url
    parts = urlsplit(url)
    user = parts.username or ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))
