"""Static files under names that change with their content, down to what their modules import."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

OWN = Path(django_settings.BASE_DIR) / "static"
HASHED = re.compile(r"\.[0-9a-f]{12}(\.\w+)?$")
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")
NAMED = re.compile(r"""url\(\s*["']?(?!data:)([^"')#?]+)""")


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> Path:
    """All static files of the product, as they are collected for production."""
    root = tmp_path_factory.mktemp("collected")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_settings, "STATIC_ROOT", root)
        collect()
    return root


def collect() -> None:
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import storages
    from django.utils.functional import empty

    def anew() -> None:
        storages._storages.clear()
        staticfiles_storage._wrapped = empty

    anew()
    call_command("collectstatic", interactive=False, verbosity=0)
    anew()


def manifest(root: Path) -> dict[str, str]:
    return json.loads((root / "staticfiles.json").read_text())["paths"]


def test_every_file_has_a_hashed_name(collected):
    names = manifest(collected)
    own = {str(path.relative_to(OWN)) for path in OWN.rglob("*") if path.is_file()}
    assert own <= set(names)
    for plain, hashed in names.items():
        assert HASHED.search(hashed), plain
        assert (collected / hashed).is_file(), plain


def test_modules_import_and_stylesheets_name_hashed_files_alone(collected):
    names = [name for name in manifest(collected).values() if not name.startswith("drf_")]
    found = 0
    for name in names:
        pattern = {".js": IMPORTED, ".css": NAMED}.get(Path(name).suffix)
        for wanted in pattern.findall((collected / name).read_text()) if pattern else ():
            target = (collected / name).parent / wanted
            assert HASHED.search(target.name) and target.is_file(), f"{name} names {wanted}"
            found += 1
    assert found > 100


@pytest.mark.parametrize(("page", "least"), [("/login/", 9), ("/", 15), ("/api/docs/", 2)])
def test_pages_name_them_and_browsers_may_keep_them_for_good(
    page, least, collected, settings, client_for, clinician
):
    settings.STATIC_ROOT = collected
    client = Client() if page == "/login/" else client_for(clinician)
    text = client.get(page).content.decode()
    addresses = set(re.findall(r'(?:src|href|data-icons)="(/static/[^"#]+)"', text))
    assert len(addresses) >= least
    for address in addresses:
        assert HASHED.search(address), address
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response["Cache-Control"]
    plain = client.get("/static/js/app.js")
    assert plain.status_code == 200 and "immutable" not in plain["Cache-Control"]


def test_names_are_plain_where_nothing_was_collected_and_with_debug(collected, settings):
    assert static("js/app.js") == "/static/js/app.js"
    settings.STATIC_ROOT = collected
    assert HASHED.search(static("js/app.js"))
    settings.DEBUG = True
    assert static("js/app.js") == "/static/js/app.js"


def test_a_change_gives_new_names_to_all_that_import_it(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    deep = 9
    for level in range(deep):
        (source / f"m{level}.js").write_text(f'import {{ x }} from "./m{level + 1}.js";\nexport {{ x }};\n')
    (source / "other.js").write_text("export const y = 1;\n")
    (source / f"m{deep}.js").write_text("export const x = 1;\n")
    collect()
    before = manifest(settings.STATIC_ROOT)
    (source / f"m{deep}.js").write_text("export const x = 2;\n")
    collect()
    after = manifest(settings.STATIC_ROOT)
    assert {name for name in after if after[name] != before[name]} == set(after) - {"other.js"}
    # What pages of the release before still ask for is there.
    assert all((settings.STATIC_ROOT / name).is_file() for name in before.values())
