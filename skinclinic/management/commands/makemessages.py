"""Django's ``makemessages``, which finds the strings of parts that Jinja2 draws, too."""

from pathlib import PurePath

from django.core.management.commands import makemessages
from jinja2.ext import extract_from_ast

from skinclinic import jinja


class File(makemessages.BuildFile):
    """A file in which strings are sought."""

    def preprocess(self) -> None:
        """Write down what is marked in a template as the calls of Python that xgettext knows."""
        if not {"templates", "jinja2"} <= set(PurePath(self.path).parts):
            return super().preprocess()
        with open(self.path, encoding="utf-8") as file:
            parsed = jinja.in_use().parse(file.read())
        with open(self.work_path, "w", encoding="utf-8") as calls:
            for _line, function, strings in extract_from_ast(parsed, babel_style=False):
                calls.write(call(function, tuple(strings or ())) + "\n")
        return None


def call(function: str, strings: tuple[str | None, ...]) -> str:
    """``ngettext('%(n)s photo', '%(n)s photos', 0)``: the number is of no matter here."""
    number = ", 0" if function in ("ngettext", "npgettext") else ""
    return f"{function}({', '.join(map(repr, strings))}{number})"


class Command(makemessages.Command):
    """``python manage.py makemessages``: see CONTRIBUTING.md."""

    build_file_class = File
