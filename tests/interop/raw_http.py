"""A minimal HTTP and OAuth client to confirm findings of the suite; it shares no code with the suite."""

import base64
import hashlib
import http.client
import json
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

CALLBACK = "https://client.example.com/cb"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer, unchanged."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers["location"] or ""

    @property
    def redirect(self) -> dict[str, str]:
        """The query parameters of the redirect."""
        return dict(parse_qsl(urlsplit(self.location).query))


class Raw:
    """Requests to one server, one at a time."""

    def __init__(self, origin: str):
        self.origin = origin

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            response = connection.getresponse()
            streams = response.headers.get_content_type() == "text/event-stream"
            return Answer(response.status, response.headers, b"" if streams else response.read())
        finally:
            connection.close()

    def form(self, path: str, parameters: dict[str, str], **headers: str) -> Answer:
        return self.send(
            "POST", path, urlencode(parameters), content_type="application/x-www-form-urlencoded", **headers
        )

    def register(self, *redirect_uris: str, method: str = "none") -> Answer:
        document = {"redirect_uris": redirect_uris or [CALLBACK], "token_endpoint_auth_method": method}
        return self.send("POST", "/register", json.dumps(document), content_type="application/json")

    def client(self, *redirect_uris: str) -> str:
        return self.register(*redirect_uris).json["client_id"]

    def authorize(self, client_id: str, /, **changes: str | None) -> Answer:
        """Send a correct authorization request, with some parameters changed, or omitted if they are None."""
        return self.send("GET", self.authorize_url(client_id, **changes))

    def authorize_url(self, client_id: str, /, **changes: str | None) -> str:
        correct = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s",
        }
        sent = {name: value for name, value in (correct | changes).items() if value is not None}
        return f"/authorize?{urlencode(sent)}"

    def redeem(
        self, client_id: str, code: str, headers: dict[str, str] | None = None, /, **changes: str | None
    ) -> Answer:
        """Send a correct token request, with some parameters changed, or omitted if they are None."""
        correct = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": CALLBACK,
        }
        sent = {name: value for name, value in (correct | changes).items() if value is not None}
        return self.form("/token", sent, **(headers or {}))

    def tokens(self, client_id: str) -> dict:
        return self.redeem(client_id, self.authorize(client_id).redirect["code"]).json
