"""What pages cost: processor time as a ratio to a fixed piece of work in the same run; bytes of a first visit, which
are exact. ``measure_pages.py`` tells the same of a running demo."""

import gzip
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.template import Template
from django.test import RequestFactory
from django.urls import reverse

from skinclinic import kept_queries
from tests import archive_crowd, factories, results

ROUNDS = 12
GALLERY = 60
STATIC = Path(settings.BASE_DIR, "static")
# More than they took on a machine that was busy with much else.
MOST_WORK = {"worklist": 50, "photo page": 55, f"gallery of {GALLERY}": 50}
# Of style and script of a first page, packed.
MOST_BYTES = 150_000
_NAMED = re.compile(r'(?:href|src)="/static/([^"]+\.(?:css|js))"')
_IMPORTED = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)"', re.M)
pytestmark = [pytest.mark.processor_time]


def least(run: Callable[[], object]) -> float:
    """Processor time of the quickest of some rounds, in seconds."""
    spent = []
    for _round in range(ROUNDS):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return min(spent)


def fixed_work() -> int:
    """About as long on every machine as a thousandth of a page is."""
    return sum(number * number for number in range(20_000))


@pytest.fixture
def pages(clinic, clinician, curator, client_for) -> dict[str, Callable[[], bytes]]:
    """Asks for a page as a browser does, without what the test client does beside it."""
    for number in range(15):
        photo = factories.make_photo(clinic, clinician, seed=number)
        results.finished(photo, clinician)
    archive_crowd.fill(clinic, curator, GALLERY)
    asked, handler = RequestFactory(), WSGIHandler()

    def page(path: str, person) -> Callable[[], bytes]:
        cookie = f"sessionid={client_for(person).cookies['sessionid'].value}"
        environ = asked.get(path, HTTP_COOKIE=cookie).environ

        def get() -> bytes:
            response = handler.get_response(handler.request_class(dict(environ)))
            assert response.status_code == 200
            return response.content

        return get

    return {
        "worklist": page(reverse("worklist") + "?show=all", clinician),
        "photo page": page(reverse("photo", args=[photo.pk]), clinician),
        f"gallery of {GALLERY}": page(reverse("archive"), curator),
    }


@pytest.mark.django_db
def test_pages_cost_little(pages, monkeypatch, record_property):
    # Not what tests have Django tell of each template, nor what they hold queries against.
    monkeypatch.setattr(kept_queries, "checks", 0)
    monkeypatch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))
    unit = least(fixed_work)
    for name, get in pages.items():
        ratio = least(get) / unit
        print(f"{name}: {ratio:.0f} times the fixed work")
        record_property(f"{name} ÷ fixed work", round(ratio))
        assert ratio < MOST_WORK[name], name


def packed(html: str) -> dict[str, int]:
    """Bytes of each style sheet and script that a page loads, modules and what they import among them, packed as
    ``collectstatic`` packs them."""
    sizes: dict[str, int] = {}
    waiting = [STATIC / name for name in _NAMED.findall(html)]
    while waiting:
        path = waiting.pop().resolve()
        name = path.relative_to(STATIC).as_posix()
        if name not in sizes:
            sizes[name] = len(gzip.compress(path.read_bytes(), 9))
            if path.suffix == ".js" and "vendor" not in path.parts:
                waiting += [
                    path.parent / found for found in _IMPORTED.findall(path.read_text(encoding="utf-8"))
                ]
    return sizes


@pytest.mark.django_db
def test_style_and_script_of_a_first_page_are_small(client, clinician, client_for, record_property):
    for name, html in (
        ("sign-in page", client.get(reverse("login")).content.decode()),
        ("worklist", client_for(clinician).get(reverse("worklist")).content.decode()),
    ):
        sizes = packed(html)
        assert sizes and any(one.endswith(".js") for one in sizes)
        record_property(f"style and script of the {name}, bytes packed", sum(sizes.values()))
        print(f"{name}: {sum(sizes.values())} bytes of style and script in {len(sizes)} files")
        assert sum(sizes.values()) < MOST_BYTES, sizes
