"""What commands write to a terminal of the words of strangers: names of files, cells of tables."""


def printable(text: str) -> str:
    """A text in one line of characters that any terminal takes."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
