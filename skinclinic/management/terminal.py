"""What commands write to a terminal: how far they are, and the words of strangers (names of files, cells of tables)."""

from django.core.management.base import OutputWrapper


def printable(text: str) -> str:
    """A text in one line of characters that any terminal takes."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Tells:
    """A command that tells how far it is while it works."""

    stdout: OutputWrapper

    def say(self, text: str) -> None:
        """A line, at once."""
        self.stdout.write(text)
        self.stdout.flush()

    def say_in_place(self, text: str) -> None:
        """A line over the one before it, on a terminal alone."""
        if self.stdout.isatty():
            self.stdout.write(f"\r{text}   ", ending="")
            self.stdout.flush()
