"""Raw exchanges with django-oauth-toolkit: a user with one browser, who has logged in and approves every request."""

import html
import re
from urllib.parse import urlencode

from raw_http import Answer, Raw

USER = {"username": "ada", "password": "correct horse"}
PATHS = {
    "/register": "/o/register/",
    "/token": "/o/token/",
    "/revoke": "/o/revoke_token/",
    "/introspect": "/o/introspect/",
}


class Person(Raw):
    """One browser with one logged-in user; clients are registered and tokens requested as by any client."""

    def __init__(self, origin: str):
        super().__init__(origin)
        self._cookies: dict[str, str] = {}
        page = self.visit("GET", "/accounts/login/?next=/")
        assert self.visit("POST", "/accounts/login/?next=/", _fields(page) | USER).status == 302

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        return super().send(method, PATHS.get(path, path), body, **headers)

    def visit(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """Send a request with the browser's cookies, and keep the cookies of the answer."""
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        typed = {} if form is None else {"content_type": "application/x-www-form-urlencoded"}
        answer = self.send(method, path, urlencode(form or {}), cookie=cookie, **typed)
        for header in answer.headers.get_all("set-cookie") or []:
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer

    def ask(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> Answer:
        """Send a correct authorization request with changes, append the parameters `more`, and return the first answer."""
        return self.visit("GET", self._authorize_path(client_id, *more, **changes))

    def authorize(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> Answer:
        """Send the request as `ask` does, approve it if a page asks, and return the last answer."""
        page = self.ask(client_id, *more, **changes)
        if page.status != 200:
            return page
        return self.visit("POST", self._authorize_path(client_id, *more, **changes), _fields(page))

    def code(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> str:
        return self.authorize(client_id, *more, **changes).redirect["code"]

    def tokens(self, client_id: str, **changes: str | None) -> dict:
        return self.redeem(client_id, self.code(client_id), **changes).json

    def refresh(self, client_id: str, refresh_token: str, **more: str) -> Answer:
        form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token, **more}
        return self.form("/token", form)

    def ask_without_login(self, client_id: str, /, **changes: str | None) -> Answer:
        """Send a correct authorization request with changes from a browser without a login."""
        return self.send("GET", self._authorize_path(client_id, **changes))

    def _authorize_path(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> str:
        url = self.authorize_url(client_id, **changes).replace("/authorize?", "/o/authorize/?", 1)
        return url + "".join(f"&{urlencode([pair])}" for pair in more)


def _fields(page: Answer) -> dict[str, str]:
    """Return all inputs of a page's form with their values, as if each button had been pressed."""
    inputs = [dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.body.decode())]
    return {field["name"]: html.unescape(field.get("value", "")) for field in inputs if "name" in field}
