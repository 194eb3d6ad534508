"""The client's types and methods, from the schema of the API (OpenAPI 3.0, as drf-spectacular makes it).

Of an object that is answered every field is there; of one that is sent, those that must be. A file of its own for each
server is not needed: what a newer server answers more, the client passes on.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

# The operations that another system needs, by what the client calls them; the rest of the API is a request away.
METHODS = {
    "me": "me_retrieve",
    "diseases": "diseases_list",
    "sites": "sites_list",
    "send_photo": "photos_create",
    "photo": "photos_retrieve",
    "photos": "photos_list",
    "choose_square": "photos_crop_create",
    "analysis": "analyses_retrieve",
    "analyses": "analyses_list",
    "record_impression": "analyses_impression_create",
    "patient": "patients_retrieve",
    "patients": "patients_list",
    "lesion": "lesions_retrieve",
    "lesions": "lesions_list",
    "record_diagnosis": "diagnoses_create",
    "diagnoses": "diagnoses_list",
}
# Turned by the client itself.
_OF_PAGES = {"cursor"}
_JSON = "application/json"
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_WIDTH = 110
# Fewer choices than these need no name.
_FEW = 6

_HEAD = '''"""A small client of the SkinClinic API, of Python's own library alone: copy this file. Python 3.11 or newer.

Written from the schema of the API by ``manage.py api_client``: whoever edits it by hand loses that.
"""
'''

_CLASS = '''@dataclass
class Client(Asking):
    """The API. Rows are dictionaries; what you do not say is not sent."""

'''


def client(schema: Schema) -> str:
    """The whole file. ``schema``: OpenAPI. Raises KeyError for an operation that is not in it."""
    return _Writer(schema).file()


class _Writer:
    def __init__(self, schema: Schema):
        self._components: Schema = schema["components"]["schemas"]
        self._operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in schema["paths"].items()
            for method, operation in methods.items()
        }
        # Those that were needed: objects by name, each after those it names, and choices.
        self._types: dict[str, str] = {}
        self._choices: set[str] = set()

    def file(self) -> str:
        methods = [self._method(name, *self._operations[known]) for name, known in METHODS.items()]
        choices = [f"{name} = {_choices(self._components[name]['enum'])}" for name in sorted(self._choices)]
        asking = Path(__file__).with_name("asking.py").read_text(encoding="utf-8").partition('"""\n\n')[2]
        asking = asking.replace("from typing import Any\n", "from typing import Any, Literal, TypedDict\n")
        imports, _, rest = asking.partition("\n\n\n")
        head = "\n".join([_HEAD, imports, *choices])
        return "\n\n\n".join([head, *self._types.values(), rest.rstrip(), _CLASS + "\n".join(methods)])

    # Types

    def _type(self, told: Schema) -> str:
        """A type as Python writes it; objects that it names are written, too."""
        kind = self._whole(told)
        return f"{kind} | None" if told.get("nullable") and not kind.endswith("| None") else kind

    def _whole(self, told: Schema) -> str:
        if "$ref" in told:
            name = told["$ref"].rpartition("/")[2]
            if "enum" in self._components[name]:
                return self._choice(self._components[name]["enum"])
            if name not in self._types:
                self._types[name] = self._object(name)
            return name
        if several := told.get("oneOf") or told.get("allOf") or told.get("anyOf"):
            return _either(self._type(one) for one in several)
        if "enum" in told:
            return self._choice(told["enum"])
        if told.get("type") == "array":
            return f"list[{self._type(told['items'])}]"
        if told.get("type") == "object":
            values = told.get("additionalProperties")
            return f"dict[str, {self._type(values) if isinstance(values, dict) and values else 'Any'}]"
        return _SIMPLE.get(told.get("type", ""), "Any")

    def _choice(self, values: list[str | int | None]) -> str:
        """The name of these choices; few have none."""
        if "\n" not in (short := _choices(values)):
            return short
        named = next(
            (name for name, one in self._components.items() if set(one.get("enum", ())) == set(values)), ""
        )
        if not named:
            return short
        self._choices.add(named)
        return named

    def _object(self, name: str) -> str:
        told = self._components[name]
        lines = [f"class {name}(TypedDict):", *_docstring(told.get("description", ""), 4), ""]
        fields = {field: one for field, one in told.get("properties", {}).items() if not one.get("writeOnly")}
        lines += [f"    {field}: {self._type(one)}" for field, one in fields.items()]
        return "\n".join(lines if fields else [*lines, "    pass"]).replace(":\n\n    ", ":\n    ", 1)

    # Methods

    def _method(self, name: str, method: str, path: str, operation: Schema) -> str:
        asked = {one["name"]: one for one in operation.get("parameters", ())}
        in_path = [one for one in asked.values() if one["in"] == "path"]
        query = [one for one in asked.values() if one["in"] == "query" and one["name"] not in _OF_PAGES]
        body, is_photo = self._body(operation)
        first = [f"{one['name']}: {self._type(one['schema'])}" for one in in_path]
        first += ["photo: bytes", "name: str"] if is_photo else []
        must = [f"{field}: {kind}" for field, kind, required in body if required]
        may = [f"{one['name']}: {self._type(one['schema'])} = UNSAID" for one in query]
        may += [f"{field}: {kind} = UNSAID" for field, kind, required in body if not required]
        head = []
        if "Idempotency-Key" in asked:
            may, head = [*may, 'key: str = ""'], ["_key(key)"]
        if "Prefer" in asked:
            may, head = [*may, "wait: int = 0"], [*head, "_wait(wait)"]
        answer, is_paged = self._answer(operation)
        gives = f"Iterator[{answer}]" if is_paged else answer
        address = _quoted_address(path.removeprefix("/api/v1/"), [one["name"] for one in in_path])
        said = [f'"{one["name"]}": {one["name"]}' for one in query]
        said += [f'"{field}": {field}' for field, _kind, _required in body]
        lines = [*_signature(name, first, [*must, *may], gives)]
        lines += _docstring(operation.get("description", ""), 8, head)
        if said:
            lines += _call("said: dict[str, Any] = {", said, "}")
        if is_paged:
            lines.append(f"        yield from self._pages({address}, {'said' if said else '{}'})")
        else:
            arguments = [f'"{method}"', address, *(["said"] if said else [])]
            arguments += ["photo=(photo, name)"] if is_photo else []
            arguments += [f"head={' | '.join(head)}"] if head else []
            lines += _call(f"answer: {gives} = self._json(", arguments, ")")
            lines.append("        return answer")
        return "\n".join(lines) + "\n"

    def _body(self, operation: Schema) -> tuple[list[tuple[str, str, bool]], bool]:
        """(field, type, whether it must be sent) of what is sent, and whether a photo goes with it."""
        contents = operation.get("requestBody", {}).get("content", {})
        if not contents:
            return [], False
        told = contents.get(_JSON, next(iter(contents.values())))["schema"]
        component = self._components[told["$ref"].rpartition("/")[2]]
        required = component.get("required", ())
        fields = {field: one for field, one in component["properties"].items() if not one.get("readOnly")}
        is_photo = _JSON not in contents and "file" in fields
        if is_photo:
            del fields["file"]
        return [(field, self._type(one), field in required) for field, one in fields.items()], is_photo

    def _answer(self, operation: Schema) -> tuple[str, bool]:
        """The type that is answered, or of a row of a list that comes in pages."""
        answers = operation["responses"]
        told = next(answers[code] for code in sorted(answers) if code < "3")["content"][_JSON]["schema"]
        if "$ref" in told:
            component = self._components[told["$ref"].rpartition("/")[2]]
            if {"next", "results"} <= set(component.get("properties", ())):
                return self._type(component["properties"]["results"]["items"]), True
        return self._type(told), False


def _either(kinds: Iterable[str]) -> str:
    """One of these; "no choice" stands last but for None."""
    found = list(dict.fromkeys(part for kind in kinds for part in kind.split(" | ")))
    return " | ".join(sorted(found, key=lambda kind: (kind == "None", kind == 'Literal[""]')))


def _choices(values: Iterable[str | int | None]) -> str:
    """Literal[…], below each other where they are many."""
    said = [f'"{one}"' if isinstance(one, str) else repr(one) for one in values]
    line = f"Literal[{', '.join(said)}]"
    return (
        line
        if len(said) < _FEW and len(line) < _WIDTH // 2
        else "Literal[\n" + "".join(f"    {one},\n" for one in said) + "]"
    )


def _quoted_address(path: str, names: list[str]) -> str:
    return f'{"f" if names else ""}"{path}"'


def _docstring(text: str, indent: int, head: list[str] | None = None) -> list[str]:
    """What the schema says, as its first paragraph; of a key and of waiting, how the client does it."""
    said = re.sub(r"\s+", " ", text.split("\n\n")[0]).strip()
    said += (
        " Sent again with the same ``key`` where the network fails." if head and "_key(key)" in head else ""
    )
    said += (
        " ``wait``: seconds to wait at most for the answer, 10 or fewer."
        if head and "_wait(wait)" in head
        else ""
    )
    if not said:
        return []
    space = " " * indent
    whole = f'{space}"""{said}"""'
    if len(whole) <= _WIDTH:
        return [whole]
    lines = textwrap.wrap(
        said, _WIDTH - indent, initial_indent="   ", break_long_words=False, break_on_hyphens=False
    )
    return [f'{space}"""{lines[0].strip()}', *(space + line for line in lines[1:]), f'{space}"""']


def _signature(name: str, first: list[str], rest: list[str], gives: str) -> list[str]:
    given = ["self", *first, *(["*", *rest] if rest else [])]
    line = f"    def {name}({', '.join(given)}) -> {gives}:"
    if len(line) <= _WIDTH:
        return [line]
    return [f"    def {name}(", *(f"        {one}," for one in given), f"    ) -> {gives}:"]


def _call(before: str, arguments: list[str], after: str) -> list[str]:
    line = f"        {before}{', '.join(arguments)}{after}"
    if len(line) <= _WIDTH:
        return [line]
    return [f"        {before}", *(f"            {one}," for one in arguments), f"        {after}"]
