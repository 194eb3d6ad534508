"""The option of commands that read tables from elsewhere."""

from argparse import ArgumentParser, ArgumentTypeError, _ArgumentGroup

from skinclinic.archive.formats import encodings


def add_encoding(parser: ArgumentParser | _ArgumentGroup) -> None:
    parser.add_argument(
        "--encoding", type=_named, default=None, metavar="NAME",
        help="of files that are not UTF-8 and do not tell theirs beyond doubt, as cp949, cp1252 or utf-16",
    )  # fmt: skip


def _named(text: str) -> str:
    if (found := encodings.called(text)) is None:
        raise ArgumentTypeError(f"{text}: is none of {', '.join(encodings.CANDIDATES)}")
    return found
