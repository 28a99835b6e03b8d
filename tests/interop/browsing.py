"""A browser with a user: it follows redirects, gives consent, logs in at the simulated Google, and returns to the client."""

import time
from urllib.parse import urlencode, urljoin

import httpx

from oauth_litmus.browser.model import Browser, Navigation
from oauth_litmus.browser.pages import choose_form, read_page

_MOST_STEPS = 20
_FORM = {"content-type": "application/x-www-form-urlencoded"}


async def browse(url: str, redirect_uri: str) -> str:
    """Follow `url` and return the URL at which the browser reaches the client.

    Raises:
        AssertionError: a page has no form to submit, or there are too many steps.
    """
    browser = Browser(time.time)
    navigation, body = Navigation(url), ""
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(_MOST_STEPS):
            cookies = browser.cookie_header(navigation)
            headers = {**(_FORM if body else {}), **({"cookie": cookies} if cookies else {})}
            answer = await http.request(navigation.method, navigation.url, headers=headers, content=body)
            browser.receive(navigation.url, answer.headers.get_list("set-cookie"))
            if answer.is_redirect:
                target = urljoin(navigation.url, answer.headers["location"])
                if target.startswith(redirect_uri):
                    return target
                navigation, body = Navigation(target, initiator=navigation.initiator), ""
                continue
            submission = choose_form(read_page(navigation.url, answer.text), {})
            assert submission is not None, f"{answer.status_code} at {navigation.url}: {answer.text[:500]}"
            navigation = Navigation(submission.url, submission.method, initiator=navigation.url)
            body = urlencode(submission.body)
    raise AssertionError(f"{url} did not lead back to {redirect_uri}")
