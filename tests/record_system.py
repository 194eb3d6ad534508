"""A hospital's record system for tests, in a process of its own: a FHIR server with SMART App Launch.

``python -m tests.record_system PORT REDIRECT``. It holds the launch to what SMART App Launch 2 asks of an app: aud,
state, PKCE (S256), the redirect that is registered, the client's secret, a code that works once. ``launch`` is the id
of a patient in context: kim, nobody (no identifier), none (no patient).
"""

import base64
import hashlib
import json
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "skinclinic", "a secret: of tests"
CODES = "urn:oid:1.2.410.200010.1"
PATIENTS = {
    "kim": [{"system": "urn:oid:9.9", "value": "S-77"}, {"system": CODES, "value": "P-1042"}],
    "new": [{"system": CODES, "value": "P-9000"}],
    "nobody": [{"system": "urn:oid:9.9", "value": "S-78"}],
}


class System:
    """What it knows; filled by ``main``."""

    port, redirect = 0, ""
    codes: dict[str, dict[str, str]] = {}
    tokens: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/fhir/.well-known/smart-configuration":
            self.answer(200, {
                "authorization_endpoint": f"http://127.0.0.1:{System.port}/authorize", "token_endpoint":
                f"http://127.0.0.1:{System.port}/token", "code_challenge_methods_supported": ["S256"],
                "capabilities": ["launch-ehr", "client-confidential-symmetric", "context-ehr-patient"],
            })  # fmt: skip
        elif parts.path == "/authorize":
            self.authorize(asked)
        elif parts.path.startswith("/fhir/Patient/"):
            self.patient(parts.path.rpartition("/")[2])
        else:
            self.answer(404, {})

    def authorize(self, asked: dict[str, str]) -> None:
        wanted = {"response_type": "code", "client_id": CLIENT, "redirect_uri": System.redirect, "aud": f"http://127.0.0.1:{System.port}/fhir",
                  "code_challenge_method": "S256"}  # fmt: skip
        scopes = set(asked.get("scope", "").split())
        is_right = all(asked.get(name) == value for name, value in wanted.items())
        if (
            not is_right
            or not {"launch", "patient/Patient.read"} <= scopes
            or len(asked.get("state", "")) < 20
        ):
            self.answer(400, {"error": "invalid_request"})
            return
        if asked["launch"] == "refused":
            back = {"error": "access_denied", "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            System.codes[code] = {"challenge": asked["code_challenge"], "launch": asked["launch"]}
            back = {"code": code, "state": asked["state"]}
        self.send_response(302)
        self.send_header("Location", f"{System.redirect}?{urlencode(back)}")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        pair = base64.b64encode(
            f"{CLIENT}:{SECRET.replace(':', '%3A').replace(' ', '%20')}".encode()
        ).decode()
        kept = System.codes.pop(asked.get("code", ""), None)
        verifier = asked.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
        if self.headers.get("Authorization") != f"Basic {pair}":
            self.answer(401, {"error": "invalid_client"})
        elif not kept or kept["challenge"] != challenge or asked.get("redirect_uri") != System.redirect:
            self.answer(400, {"error": "invalid_grant"})
        else:
            token = secrets.token_urlsafe(16)
            System.tokens[token] = kept["launch"]
            patient = {} if kept["launch"] == "none" else {"patient": kept["launch"]}
            self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 60, **patient})

    def patient(self, key: str) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if System.tokens.get(token) != key:
            self.answer(403, {"resourceType": "OperationOutcome"})
        else:
            self.answer(200, {"resourceType": "Patient", "id": key, "identifier": PATIENTS[key]})

    def answer(self, status: int, told: dict[str, Any]) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


def main(port: int, redirect: str) -> None:
    System.port, System.redirect = port, redirect
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
