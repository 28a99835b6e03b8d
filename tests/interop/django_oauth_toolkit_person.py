"""Raw exchanges with django-oauth-toolkit: a person with one browser, who logged in and approves whatever is asked."""

import html
import re
from urllib.parse import urlencode

from raw_http import Answer, Raw

USER = {"username": "ada", "password": "correct horse"}
PLACES = {
    "/register": "/o/register/",
    "/token": "/o/token/",
    "/revoke": "/o/revoke_token/",
    "/introspect": "/o/introspect/",
}


class Person(Raw):
    """One browser and one user; clients are registered, and tokens asked for, as by any client."""

    def __init__(self, origin: str):
        super().__init__(origin)
        self._cookies: dict[str, str] = {}
        page = self.visit("GET", "/accounts/login/?next=/")
        assert self.visit("POST", "/accounts/login/?next=/", _fields(page) | USER).status == 302

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        return super().send(method, PLACES.get(path, path), body, **headers)

    def visit(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """What the browser gets, with its cookies."""
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        typed = {} if form is None else {"content_type": "application/x-www-form-urlencoded"}
        answer = self.send(method, path, urlencode(form or {}), cookie=cookie, **typed)
        for header in answer.headers.get_all("set-cookie") or []:
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer

    def ask(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> Answer:
        """The first answer to a correct authorization request with changes, with further parameters behind it."""
        return self.visit("GET", self._place(client_id, *more, **changes))

    def authorize(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> Answer:
        """What comes of it when whatever is asked on the page is approved."""
        page = self.ask(client_id, *more, **changes)
        if page.status != 200:
            return page
        return self.visit("POST", self._place(client_id, *more, **changes), _fields(page))

    def code(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> str:
        return self.authorize(client_id, *more, **changes).redirect["code"]

    def tokens(self, client_id: str, **changes: str | None) -> dict:
        return self.redeem(client_id, self.code(client_id), **changes).json

    def refresh(self, client_id: str, refresh_token: str, **more: str) -> Answer:
        form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token, **more}
        return self.form("/token", form)

    def passer_by(self, client_id: str, /, **changes: str | None) -> Answer:
        """The same request from a browser in which nobody logged in."""
        return self.send("GET", self._place(client_id, **changes))

    def _place(self, client_id: str, /, *more: tuple[str, str], **changes: str | None) -> str:
        url = self.authorize_url(client_id, **changes).replace("/authorize?", "/o/authorize/?", 1)
        return url + "".join(f"&{urlencode([pair])}" for pair in more)


def _fields(page: Answer) -> dict[str, str]:
    """The inputs of a page's form, all of them pressed."""
    inputs = [dict(re.findall(r'([a-z]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page.body.decode())]
    return {field["name"]: html.unescape(field.get("value", "")) for field in inputs if "name" in field}
