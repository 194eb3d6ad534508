"""Texts that hold some letters anywhere, however few, found by an index where PostgreSQL has one (``word_indexes``).

Its extension knows texts by three letters in a row. Of one letter or two it knows nothing, and every row would be read
for what is rare. So a second index has each text cut into pairs of neighbours, "melanoma" as "me la no ma" and "el an
om a": each pair, and each letter, begins a word there, and words of two letters it does know.
"""

import json

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Upper
from django.db.models.lookups import Contains, IExact

# So few letters go by pairs.
FEW_LETTERS = 2
# Of {text}, SQL; every character begins one pair, those of its second half too.
PAIRS = (
    "(' ' || REGEXP_REPLACE(UPPER({text}::text), '(..)', '\\1 ', 'g') || ' ' || "
    "REGEXP_REPLACE(SUBSTR(UPPER({text}::text), 2), '(..)', '\\1 ', 'g'))"
)
# Of {values}, a JSON object of texts: name and value of each in capitals, with ``_IS`` between. PostgreSQL writes an
# object in one way, and neither a quotation mark nor ``_IS`` within a text as it stands.
SAID = """STRING_TO_ARRAY(REPLACE(LEFT(SUBSTR(UPPER({values}::text), 3), -2), '": "', CHR(1)), '", "')"""
_IS = "\1"


class _Pairs(Func):
    """A text of an index over pairs, written as the index has it."""

    template = PAIRS.format(text="%(expressions)s")
    output_field = TextField()


def holding(field: str, text: str) -> Q:
    """Rows whose ``field`` holds the text, capital or small: as ``icontains``, and found by an index also where the
    text is one letter or two."""
    if connection.vendor != "postgresql" or not 0 < len(text) <= FEW_LETTERS or not text.strip():
        return Q(**{f"{field}__icontains": text})
    # A pair stands between blanks; a letter begins one.
    wanted = f" {text} " if len(text) == FEW_LETTERS else f" {text}"
    return Q(Contains(_Pairs(F(field)), Upper(Value(wanted, output_field=TextField()))))


class _Said(Func):
    """What an object of texts says, written as the index over it has it."""

    template = SAID.format(values="%(expressions)s")


class _Holds(Func):
    """Whether the first has the second: of lists."""

    template, arg_joiner = "%(expressions)s", " @> "
    output_field = BooleanField()


def saying(field: str, name: str, value: str) -> Q:
    """Rows whose ``field``, a JSON object of texts, says ``value`` under ``name``, capital or small."""
    if connection.vendor == "postgresql":
        written = (json.dumps(text, ensure_ascii=False)[1:-1] for text in (name, value))
        wanted = Upper(Value(_IS.join(written), output_field=TextField()))
        return Q(_Holds(_Said(F(field)), Func(wanted, template="ARRAY[%(expressions)s]")))
    found = Q()
    for one in sorted(spelt(name)):
        found |= Q(IExact(KeyTextTransform(one, field), value))
    return found


def spelt(name: str) -> set[str]:
    """A column's name as it may be written."""
    return {name, name.lower(), name.upper()}
