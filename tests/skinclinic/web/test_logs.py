"""The secrets of links stand in no log."""

import logging

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from skinclinic.web.logs import MaskingFormatter, masked

SECRET = "KDANPo-abcdefghijklmnopqrstuvwxyz_0123456789ABC"


def with_secrets(resolver: URLResolver | None = None):
    """Every pattern whose address holds a secret."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLResolver):
            yield from with_secrets(found)
        else:
            yield found


def test_every_address_with_a_secret_is_masked():
    names = set()
    for pattern in with_secrets():
        assert isinstance(pattern, URLPattern)
        for name in {"secret", "token"} & set(pattern.pattern.converters):
            others = {"session": "unaided", "position": 1, "number": 1}
            args = {key: others.get(key, SECRET) for key in pattern.pattern.converters}
            for full in get_resolver().reverse_dict.getlist(pattern.name):
                args |= {key: others.get(key, SECRET) for key in full[0][0][1]}
            address = reverse(pattern.name, kwargs=args)
            assert SECRET in address and SECRET not in masked(address), address
            assert masked(address).count("***") == 1
            names.add((pattern.name, name))
    assert len(names) > 15


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("GET /reading/KD_-9/a/photo/1/answer?x=1 HTTP/1.1", "GET /reading/***/a/photo/1/answer?x=1 HTTP/1.1"),
        ("https://a.example/join/KD9/ and /try/AB#c", "https://a.example/join/***/ and /try/***#c"),
        ("/login/?next=%2Fjoin%2FKD9%2F&x=1", "/login/?next=%2Fjoin%2F***%2F&x=1"),
        ("/archive/imports/12/ and /studies/3/readers/", "/archive/imports/12/ and /studies/3/readers/"),
    ],
)  # fmt: skip
def test_only_secrets_are_masked(said, left):
    assert masked(said) == left


def test_tracebacks_are_masked_too():
    try:
        raise ValueError(f"/join/{SECRET}/")
    except ValueError as error:
        found = (type(error), error, error.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "at %s", (f"/try/{SECRET}/",), found)
    text = MaskingFormatter("%(message)s").format(record)
    assert SECRET not in text and "/try/***/" in text and "ValueError: /join/***/" in text


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        (f"/join/{SECRET}/", "strict-origin"),
        (f"/login/?next=/join/{SECRET}/", "strict-origin"),
        (f"/reading/{SECRET}/", "no-referrer"),
        (f"/opinion/{SECRET}/", "no-referrer"),
    ],
)
def test_a_page_with_a_secret_is_not_told_to_other_requests(client, db, path, policy):
    assert client.get(path)["Referrer-Policy"] == policy
    assert client.get("/login/")["Referrer-Policy"] == "same-origin"
