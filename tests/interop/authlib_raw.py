"""Raw exchanges with Authlib's server: its endpoints, its consent page, public and confidential clients."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from raw_http import CALLBACK, VERIFIER, Answer, Raw

FORM = "application/x-www-form-urlencoded"
BOTH = "notes:read notes:write"


class AuthlibRaw(Raw):
    """Requests to one server, one at a time, except in `together`."""

    def register(self, *redirect_uris: str, method: str = "none", **changes: object) -> Answer:
        """Send a complete registration, with some members changed, or omitted if they are `...`."""
        document = {
            "redirect_uris": redirect_uris or [CALLBACK],
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": BOTH,
            **changes,
        }
        sent = {name: value for name, value in document.items() if value is not ...}
        return self.register_body(json.dumps(sent))

    def register_body(self, body: str) -> Answer:
        return self.send("POST", "/oauth/register", body, content_type="application/json")

    def secret_client(self, method: str = "client_secret_basic") -> tuple[str, str]:
        registered = self.register(method=method).json
        return registered["client_id"], registered["client_secret"]

    def authorize_url(self, client_id: str, /, **changes: str | None) -> str:
        return "/oauth" + super().authorize_url(client_id, **{"scope": BOTH, **changes})

    def consent(self, client_id: str, /, **changes: str | None) -> Answer:
        """Send an authorization request and approve it if a page asks; return the last answer."""
        url = self.authorize_url(client_id, **changes)
        page = self.send("GET", url)
        if page.status != 200:
            return page
        approval = {"csrf": re.search(r'name="csrf" value="([^"]+)"', page.body.decode())[1], "confirm": "yes"}
        return self.form(url, approval, cookie=page.headers["set-cookie"].partition(";")[0])

    def code(self, client_id: str, /, **changes: str | None) -> str:
        return self.consent(client_id, **changes).redirect["code"]

    def token(self, form: dict[str, str | None], query: str = "", **headers: str) -> Answer:
        body = urlencode({name: value for name, value in form.items() if value is not None})
        return self.send("POST", f"/oauth/token{query}", body, content_type=FORM, **headers)

    def redeem(self, client_id: str | None, code: str, headers=None, /, **changes: str | None) -> Answer:
        correct = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": CALLBACK,
        }
        return self.token(correct | changes, **(headers or {}))

    def tokens(self, client_id: str) -> dict:
        return self.redeem(client_id, self.code(client_id)).json

    def tokens_of(self, client_id: str, secret: str) -> dict:
        return self.redeem(None, self.code(client_id), basic(client_id, secret)).json

    def refresh(self, client_id: str | None, refresh_token: str, headers=None, /, **changes: str) -> Answer:
        form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token, **changes}
        return self.token(form, **(headers or {}))

    def together(self, act, times: int = 8) -> list[Answer]:
        """Run `act` concurrently in several threads and return all answers."""
        with ThreadPoolExecutor(times) as crowd:
            return list(crowd.map(lambda _: act(), range(times)))


def basic(client_id: str, secret: str | bytes) -> dict[str, str]:
    """HTTP Basic credentials as a header."""
    pair = f"{client_id}:".encode() + (secret if isinstance(secret, bytes) else secret.encode())
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
