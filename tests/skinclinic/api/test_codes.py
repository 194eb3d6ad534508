"""Every code that the API's own code refuses with is documented, by its status."""

import ast
from pathlib import Path

from django.conf import settings

from skinclinic.api.codes import CODES


def refused_with() -> set[tuple[int, str]]:
    """Status and code of every ``Refused(status, "code", …)`` of the API, and of what makes callers come back."""
    root, found = Path(settings.BASE_DIR), set()
    for path in [*root.glob("*/api/*.py"), root / "skinclinic/web/middleware.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            if getattr(node.func, "id", "") not in ("Refused", "json_error"):
                continue
            status, code = node.args[:2]
            if isinstance(status, ast.Constant) and isinstance(code, ast.Constant):
                found.add((status.value, code.value))
    return found


def test_every_code_is_documented():
    missing = {one for one in refused_with() if one[1] not in CODES.get(one[0], {})}
    assert not missing and len(refused_with()) > 25
    guide = (Path(settings.BASE_DIR) / "docs/api.md").read_text()
    assert not [
        code for codes in CODES.values() for code in codes if f"`{code}`" not in guide and " " not in code
    ]
