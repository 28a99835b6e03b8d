"""Pages that tests read, and the only form of one."""

from oauth_litmus.browser.pages import read_page

URL = "https://relay.example.com/auth/consent?x=1"
CONSENT = """<form method=post action=/auth/consent>
    <input type=hidden name=csrf value=t0k><input type=checkbox name=remember value=1 checked>
    <button name=go value=deny>Deny</button><button name=go value=allow>Allow access</button></form>"""


def page(html):
    return read_page(URL, html)


def form(html):
    (only,) = page(html).forms
    return only
