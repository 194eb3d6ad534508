"""A reader as the server sees one: a link, and what a browser would send."""

import json
import uuid

from django.test import Client
from django.urls import reverse

from reader_study.models import Reading
from reader_study.services.making import enrolment

# Addresses of a reader that name no session.
OF_LINK = ("", "keys", "language", "consent", "leave", "about", "result", "certificate")


class Link:
    """What a reader does with the link, without a browser and without an account."""

    def __init__(self, secret: str, session: str = "unaided"):
        self.secret, self.session, self.client = secret, session, Client()

    def url(self, name: str, *args) -> str:
        of_link = name.removeprefix("reading").removeprefix("-") in OF_LINK
        return reverse(name, args=[self.secret, *([] if of_link else [self.session]), *args])

    def get(self, name: str, *args):
        return self.client.get(self.url(name, *args))

    def post(self, name: str, *args, **fields):
        return self.client.post(self.url(name, *args), fields)

    def begin(self) -> "Link":
        """Confirm the instructions and open the session."""
        assert self.post("reading-begin", confirmed="1").status_code == 302
        assert self.get("reading-session").status_code == 200
        return self

    def send(self, position: int, body: bytes | str):
        return self.client.post(self.url("reading-answer", position), body, content_type="application/json")

    def answer(self, position: int, choice: str = "bcc", *, known: int = 0, key: str = "", **more):
        body = {"key": key or str(uuid.uuid4()), "known": known, "choice": choice, **more}
        return self.send(position, json.dumps(body))

    @property
    def row(self) -> Reading:
        reader = enrolment.find_any(self.secret)
        return reader.readings.get(session__key=self.session)


def body_of(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def code_of(response) -> str:
    return response.json()["error"]["code"]
