"""Texts that hold some letters anywhere, however few, found by an index where PostgreSQL has one (``word_indexes``).

Its extension knows texts by three letters in a row. Of one letter or two it knows nothing, and every row would be read
for what is rare. So a second index has each text cut into pairs of neighbours, "melanoma" as "me la no ma" and "el an
om a": each pair, and each letter, begins a word there, and words of two letters it does know. Of signs (§, +) it knows
nothing either; a third index has those of each text as a list.
"""

import json

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import Contains, GreaterThan, IExact

# So few letters go by pairs; so few rows are named by their keys.
FEW_LETTERS, FEW_ROWS = 2, 1000
# Of {text}, SQL; every character begins one pair, those of its second half too.
PAIRS = (
    "(' ' || REGEXP_REPLACE(UPPER({text}::text), '(..)', '\\1 ', 'g') || ' ' || "
    "REGEXP_REPLACE(SUBSTR(UPPER({text}::text), 2), '(..)', '\\1 ', 'g'))"
)
# Of {text}, SQL: its signs, one by one, and letters that are neither English nor Korean; of most texts few.
SIGNS = "REGEXP_SPLIT_TO_ARRAY(REGEXP_REPLACE(UPPER({text}::text), '[0-9A-Z \\n\\r\\t\\uAC00-\\uD7A3]', '', 'g'), '')"
# Of {values}, a JSON object of texts: name and value of each in capitals, with ``_IS`` between. PostgreSQL writes an
# object in one way, and neither a quotation mark nor ``_IS`` within a text as it stands.
SAID = """STRING_TO_ARRAY(REPLACE(LEFT(SUBSTR(UPPER({values}::text), 3), -2), '": "', CHR(1)), '", "')"""
_IS = "\1"


class _Pairs(Func):
    """A text of an index over pairs, written as the index has it."""

    template = PAIRS.format(text="%(expressions)s")
    output_field = TextField()


class _Signs(Func):
    """A text of an index over signs, written as the index has it."""

    template = SIGNS.format(text="%(expressions)s")


def holding(rows: QuerySet, field: str, text: str) -> Q:
    """Which of the ``rows`` have the text in their ``field``, capital or small: as ``icontains``; one letter or two, or
    signs alone, by an index where few have them."""
    plain = Q(**{f"{field}__icontains": text})
    if connection.vendor != "postgresql":
        return plain
    if is_of_signs(text):
        return _few(by_signs(rows, field, text), plain)
    has_letters = bool(text.strip()) and len(text) <= FEW_LETTERS
    return _few(by_pairs(rows, field, text), plain) if has_letters else plain


def is_of_signs(text: str) -> bool:
    """Whether a text has something, and neither letters nor digits."""
    return bool(text.strip()) and not any(letter.isalnum() for letter in text)


def _few(found: QuerySet, plain: Q) -> Q:
    """Few rows that an index finds are named by their keys. Many are not far from each other in any order, and what is
    asked of each plainly takes less time than what the index is of."""
    keys = list(found.values_list("pk", flat=True)[: FEW_ROWS + 1])
    return plain if len(keys) > FEW_ROWS else Q(pk__in=keys) & plain


def by_pairs(rows: QuerySet, field: str, text: str) -> QuerySet:
    """The rows that have one letter or two in their ``field``, newest first; of PostgreSQL alone."""
    # A pair stands between blanks; a letter begins one.
    wanted = Value(f" {text} " if len(text) == FEW_LETTERS else f" {text}", output_field=TextField())
    # In an order, so that of many no more are read than it takes to see that they are.
    return rows.filter(Contains(_Pairs(F(field)), Upper(wanted))).order_by("-pk")


def by_signs(rows: QuerySet, field: str, text: str) -> QuerySet:
    """The rows that have a text of signs in their ``field``, newest first; of PostgreSQL alone."""
    signs = (Upper(Value(sign, output_field=TextField())) for sign in dict.fromkeys("".join(text.split())))
    has = _Holds(_Signs(F(field)), Func(*signs, template="ARRAY[%(expressions)s]"))
    # Where so many have them that rows are read one by one, this is seen sooner than which signs a text has; by no
    # index, for that of words would be read from end to end.
    there = GreaterThan(StrIndex(Upper(F(field)), Upper(Value(text, output_field=TextField()))), 0)
    return rows.filter(has, there).order_by("-pk")


class _Said(Func):
    """What an object of texts says, written as the index over it has it."""

    template = SAID.format(values="%(expressions)s")


class _Holds(Func):
    """Whether the first has the second: of lists."""

    template, arg_joiner = "%(expressions)s", " @> "
    output_field = BooleanField()


def saying(rows: QuerySet, field: str, name: str, value: str) -> Q:
    """Which of the ``rows`` say ``value`` under ``name`` in their ``field``, a JSON object of texts, capital or small;
    by an index where few do."""
    plain = Q()
    for one in sorted(spelt(name)):
        plain |= Q(IExact(KeyTextTransform(one, field), value))
    if connection.vendor != "postgresql":
        return plain
    return _few(by_saying(rows, field, name, value), plain)


def by_saying(rows: QuerySet, field: str, name: str, value: str) -> QuerySet:
    """Rows that say so under the name in whatever capitals, newest first; of PostgreSQL alone."""
    written = (json.dumps(text, ensure_ascii=False)[1:-1] for text in (name, value))
    wanted = Upper(Value(_IS.join(written), output_field=TextField()))
    has = _Holds(_Said(F(field)), Func(wanted, template="ARRAY[%(expressions)s]"))
    return rows.filter(has).order_by("-pk")


def spelt(name: str) -> set[str]:
    """A column's name as it may be written."""
    return {name, name.lower(), name.upper()}
