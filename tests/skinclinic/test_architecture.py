"""The arrows of the architecture, read from the source: who may import whom."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from django.template import engines
from django.urls import URLPattern, URLResolver, get_resolver

from tests.cases import each

ROOT = Path(__file__).resolve().parents[2]
# Each may import those before it. The archive is an app of its own inside skinclinic's folder.
APPS = ["skinclinic", "skinclinic.archive", "classifier", "reader_study"]
LABELS = ["skinclinic", "archive", "classifier", "reader_study"]
# Inside an app a layer may import itself and what stands before it.
LAYERS = ["models", "engine", "services", "presenters", "outside"]
LAYER_OF = {
    "files": "engine",
    "celery": "engine",
    "templatetags": "presenters",
    **dict.fromkeys(
        ("jobs", "views", "api", "demo", "management", "forms", "context", "urls", "wsgi"),
        "outside",
    ),
}
MIGRATIONS_MAY_ASK = ("skinclinic.vocabulary", "skinclinic.imaging", "skinclinic.concurrent_indexes")
# What of ``skinclinic/web`` stands outside; the rest of that folder is for every layer.
WEB_OUTSIDE = ("middleware", "audited", "context", "errors")
# They hold mathematics or pixels and can be read, tested and used without Django.
PURE = [
    "skinclinic/backups",
    "skinclinic/dicom",
    "skinclinic/engine/processors.py",
    "skinclinic/imaging",
    "skinclinic/vocabulary/days.py",
    "skinclinic/vocabulary/diseases.py",
    "skinclinic/vocabulary/languages.py",
    "skinclinic/vocabulary/skin_types.py",
    "skinclinic/files/bucket_address.py",
    "skinclinic/files/reasons.py",
    "skinclinic/files/whole.py",
    "skinclinic/help",
    "skinclinic/host_names.py",
    "skinclinic/web/csv_table.py",
    "skinclinic/web/inputs.py",
    "skinclinic/web/zip_stream.py",
    "skinclinic/archive/formats",
    "skinclinic/archive/labels.py",
    "skinclinic/archive/near_duplicates.py",
    "classifier/analysing",
    "classifier/drawings",
    "classifier/imports",
    "classifier/metrics",
    "classifier/networks",
    "classifier/plots/apart.py",
    "classifier/plots/axes.py",
    "classifier/plots/canvas.py",
    "classifier/plots/colormaps.py",
    "classifier/plots/eps.py",
    "classifier/plots/frame.py",
    "classifier/plots/letters.py",
    "classifier/plots/pdf.py",
    "classifier/plots/pixels.py",
    "classifier/plots/svg.py",
    "classifier/plots/tables.py",
    "classifier/runtimes",
    "classifier/training",
    "reader_study/allocation.py",
    "reader_study/asked.py",
    "reader_study/blinding.py",
    "reader_study/mrmc.py",
    "reader_study/paper.py",
    "reader_study/sampling.py",
    "reader_study/statistics",
]


def sources(folder: str) -> list[Path]:
    """The files of a folder, or of an app without the apps inside it."""
    path = ROOT / folder.replace(".", "/") if folder in APPS else ROOT / folder
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [file for file in files if app_of(module_of(file)) == folder] if folder in APPS else files


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def app_of(module: str) -> str | None:
    """The app a module belongs to; None for what is not ours."""
    own = [app for app in APPS if f"{module}.".startswith(f"{app}.")]
    return max(own, key=len, default=None)


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of the modules a file imports anywhere, also inside functions."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def layer_of(module: str) -> str | None:
    """The layer of skinclinic.views.members is "outside"; None for what every layer may use."""
    app = app_of(module)
    if app is None or module == app:
        return None
    layer, _dot, rest = module.removeprefix(f"{app}.").partition(".")
    if layer == "web" and rest.split(".")[0] in WEB_OUTSIDE:
        return "outside"
    layer = LAYER_OF.get(layer, layer)
    return layer if layer in LAYERS else None


@each("app", APPS)
def test_apps_import_only_those_before_them(app):
    later = APPS[APPS.index(app) + 1 :]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(app)
        for name in imports(path)
        if app_of(name) in later and not (path.name == "urls.py" and name.endswith("urls"))
    ]
    assert not wrong


@each("app", APPS)
def test_layers_import_only_those_before_them(app):
    wrong = []
    for path in sources(app):
        own = layer_of(module_of(path))
        if own is None:
            continue
        for name in imports(path):
            other = layer_of(name)
            if other and LAYERS.index(other) > LAYERS.index(own):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_services_share_one_refusal():
    """Readers' refusals carry a code of their own; the API's are what the others become there."""
    of_their_own = {"skinclinic/services/refused.py", "skinclinic/api/errors.py"}
    of_their_own |= {"reader_study/services/reading/refusals.py"}
    found = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in sources(app)
        if re.search(r"^class Refused\(", path.read_text(), re.M)
    }
    assert found == of_their_own


def test_views_and_api_do_not_lean_on_each_other():
    """What both show lies in presenters; no app shows its pages through another app's views."""
    wrong = []
    for app in APPS:
        for path in sources(app):
            own = module_of(path).removeprefix(f"{app}.").split(".")[0]
            for name in imports(path):
                other = app_of(name)
                folder = name.removeprefix(f"{other}.").split(".")[0] if other else ""
                if {own, folder} == {"views", "api"} or (
                    folder == "views" and own != "urls" and other != app
                ):
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_migrations_follow_the_arrows():
    from django.db.migrations.loader import MigrationLoader

    graph = MigrationLoader(None).graph
    graph.ensure_not_cyclic()
    ours = [key for key in graph.nodes if key[0] in LABELS]
    assert {app for app, _name in ours} >= {"skinclinic", "archive", "classifier"}
    wrong = [
        f"{key} needs {parent.key}"
        for key in ours
        for parent in graph.node_map[key].parents
        if parent.key[0] in LABELS[LABELS.index(key[0]) + 1 :]
    ]
    assert not wrong


def is_pure(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    listed = ((ROOT / name).with_suffix("") for name in PURE)
    return is_bare_package(path) or any(path == pure or pure in path.parents for pure in listed)


def is_bare_package(path: Path) -> bool:
    """A folder of modules with nothing of its own but a docstring."""
    init = path / "__init__.py"
    return init.is_file() and len(ast.parse(init.read_text()).body) <= 1


@each("folder", PURE)
def test_pure_files_know_no_django(folder):
    found = sources(folder)
    assert found and all(path.is_file() for path in found), f"{folder} is gone: take it off the list"
    wrong = []
    for path in found:
        for name in imports(path):
            top, _dot, rest = name.partition(".")
            if top in {"django", "rest_framework", "celery"} or (top in APPS and rest and not is_pure(name)):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_pure_files_are_checked_strictly():
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    (strict,) = [part["module"] for part in mypy["overrides"] if part.get("disallow_untyped_defs")]
    dotted = [
        name.removesuffix(".py").replace("/", ".") + ("" if name.endswith(".py") else ".*") for name in PURE
    ]
    assert strict == dotted


def test_settings_are_read_only_through_django():
    wrong = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in sources(app)
        if "settings" not in path.parent.parts
        and any(name.startswith("skinclinic.settings") for name in imports(path))
    ]
    assert not wrong


# Commands, and what they lean on, read files of whoever runs the server.
READ_THEMSELVES = {"classifier/networks/training_photos.py", "classifier/analysing/photo_files.py"}


def test_nothing_from_outside_is_decoded_by_the_web_or_a_worker_itself():
    """``services.decoding`` has it done in processes of their own, with limits."""
    wrong = []
    for app in APPS:
        for path in sources(app):
            name = str(path.relative_to(ROOT))
            if name in READ_THEMSELVES or layer_of(module_of(path)) is None or "/management/" in name:
                continue
            if re.search(r"\bimaging\.(accept|check|covered)\(", path.read_text()):
                wrong.append(name)
    assert wrong == []


def test_jobs_are_the_only_tasks():
    """Work outside a request is declared with @job; only skinclinic/engine/tasks.py speaks to Celery."""
    allowed = {"skinclinic/engine/tasks.py", "skinclinic/celery.py", "skinclinic/engine/broker.py"}
    wrong = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in sources(app)
        if str(path.relative_to(ROOT)) not in allowed
        and any(name.split(".")[0] == "celery" for name in imports(path))
    ]
    assert not wrong


WEB = """
import sys, django
django.setup()
from django.urls import get_resolver
def walk(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern.callback
views = list(walk(get_resolver().url_patterns))
for name in (400, 403, 404, 500):
    get_resolver().resolve_error_handler(name)
import skinclinic.wsgi
heavy = ("torch", "torchvision", "openvino", "onnxruntime", "pydicom")
print(len(views), *[name for name in heavy if name in sys.modules])
"""


def test_the_web_process_loads_no_network_and_nothing_of_dicom(tmp_path):
    environment = os.environ | {
        "SKINCLINIC_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "skinclinic.settings",
    }
    result = subprocess.run(
        [sys.executable, "-c", WEB], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    count, *heavy = result.stdout.split()
    assert int(count) > 20
    assert heavy == []


def test_the_web_image_needs_no_more_than_it_installs():
    """What the web process imports at module level is in its own list of requirements."""
    listed = (ROOT / "docker" / "requirements-web.txt").read_text()
    assert "torch" not in re.sub(r"#.*", "", listed)
    assert "openvino" not in re.sub(r"#.*", "", listed)


TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
HTML = [path for path in TEMPLATES if path.suffix == ".html"]
JINJA = ROOT / "templates" / "jinja2"


def engine_of(path: Path) -> str:
    return "jinja2" if path.is_relative_to(JINJA) else "django"


def name_of(path: Path) -> str:
    return str(path.relative_to(JINJA if engine_of(path) == "jinja2" else ROOT / "templates"))


@each("path", TEMPLATES)
def test_templates_compile(path):
    engines[engine_of(path)].get_template(name_of(path))


def test_every_part_lies_with_the_engine_that_is_asked_for_it():
    names = {
        engine: {name_of(path) for path in TEMPLATES if engine_of(path) == engine}
        for engine in ("django", "jinja2")
    }
    assert not names["django"] & names["jinja2"], "there is one of each"
    for path in TEMPLATES:
        text, engine = path.read_text(), engine_of(path)
        shown = set(re.findall(r"""{%\s*(?:include|extends)\s+["']([^"']+)""", text))
        assert shown <= names[engine], path
        assert set(re.findall(r"""{%\s*part\s+["']([^"']+)""", text)) <= names["jinja2"], path
        assert set(re.findall(r"""\bdjango_part\(["']([^"']+)""", text)) <= names["django"], path


@each("path", HTML)
def test_templates_hold_no_inline_code(path):
    """The content security policy would refuse it in the browser."""
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    inline = [
        tag
        for tag in re.findall(r"<script\b[^>]*>", text)
        if "src=" not in tag and "application/json" not in tag
    ]
    assert not inline
    assert "<style" not in text
    assert not re.findall(r"""<[^>]*\s(?:style|on[a-z]+)\s*=\s*["'{]""", text)
    assert "javascript:" not in text
    assert not re.findall(r"""\s(?:src|href)=["'](?:https?:)?//""", text), "nothing comes from elsewhere"


@each("path", HTML)
def test_forms_that_change_something_carry_the_token(path):
    for form in re.findall(r"<form\b[^>]*>.*?</form>", path.read_text(), re.DOTALL):
        opening = form[: form.index(">") + 1]
        is_post = re.search(r"""method=["']post["']""", opening, re.IGNORECASE)
        # The dialog that asks for the password fetches a token of the signed-out page; the link of a reader or of a
        # colleague outside is all the right there is, and no cookie gives any.
        by_link = path.parent.name in ("reading", "outside")
        if is_post and path.name != "sign_in_again.html" and not by_link:
            assert "{% csrf_token %}" in form or "{{ csrf_field(csrf_token) }}" in form, opening


def patterns(resolver: URLResolver | None = None, prefix: str = ""):
    """Every URL pattern of the project with its full route."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        else:
            yield pattern, route


NAMES = {pattern.name for pattern, _route in patterns()}


@each("path", [path for path in TEMPLATES if path.is_file()])
def test_templates_link_to_pages_there_are(path):
    used = re.findall(r"""(?:{%\s*url\s+|address_of\()["']([^"']+)["']""", path.read_text())
    missing = {name for name in used if name.split(":")[-1] not in NAMES}
    assert not missing


# Pages people see without signing in. DRF answers 401 itself.
OPEN = {
    "healthz",
    "readyz",
    "metrics",
    "manifest",
    "service-worker",
    "offline",
    "help",
    "help-page",
    "set_language",
    "login",
    "session",
    "join",
    "new-email",
    "forgotten",
    "account_login",
    "openid_connect_login",
    "openid_connect_callback",
    "mfa_authenticate",
    "reset",
    "try",
    "try-result",
    "try-image",
    "try-maps",
    "try-delete",
    # A colleague outside has a link to one case and no account.
    "opinion",
    "opinion-terms",
    "opinion-photo",
    "opinion-heatmap",
    # It leads who is not signed in to the hospital's own sign-in.
    "smart-launch",
    # Readers have a link and no account.
    "reading",
    "reading-keys",
    "reading-language",
    "reading-session",
    "reading-begin",
    "reading-consent",
    "reading-leave",
    "reading-about",
    "reading-result",
    "reading-certificate",
    "reading-practice-answer",
    "reading-practice",
    "reading-state",
    "reading-finish",
    "reading-photo",
    "reading-answer",
    "reading-model",
    "reading-maps",
    "reading-practice-photo",
    "reading-practice-model",
    "reading-practice-maps",
}


def is_api(pattern: URLPattern, route: str) -> bool:
    return route.startswith("api/")


def test_every_page_needs_sign_in_unless_listed():
    signed_out = {
        pattern.name
        for pattern, route in patterns()
        if not getattr(pattern.callback, "login_required", True) and not is_api(pattern, route)
    }
    assert signed_out <= OPEN, f"open to anyone: {signed_out - OPEN}"


def test_pages_have_names_of_their_own():
    names = [pattern.name for pattern, route in patterns() if not is_api(pattern, route)]
    assert all(names)
    assert len(names) == len(set(names))


def test_migrations_do_not_depend_on_what_the_product_does_later():
    """They run on columns of their own time: only what knows no tables may be asked."""
    wrong = []
    for path in ROOT.glob("*/**/migrations/0*.py"):
        if path.is_relative_to(ROOT / ".venv"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.module if isinstance(node, ast.ImportFrom) else None
            own = (name or "").startswith(tuple(f"{app}." for app in APPS))
            if own and not (name or "").startswith(MIGRATIONS_MAY_ASK):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert wrong == []
