"""Markup of the suite's is seen where it became part of a page, and only there."""

import html

import pytest

from oauth_litmus.probes.markup import CALL, IMAGE, MARKUP, SCRIPT_URL, injected, internals


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (f"<p>{MARKUP}</p>", "a script element"),
        (f"<p>{IMAGE}</p>", "an attribute of <img>"),
        (f"<input value='{html.escape('x', quote=True)}' onfocus={CALL}>", "an attribute of <input>"),
        (f'<a href="{SCRIPT_URL}">x</a>', "a script URL in <a href>"),
        (f"<p>{html.escape(MARKUP)} {html.escape(IMAGE)} {SCRIPT_URL}</p>", None),
        (f'<p title="{html.escape(MARKUP, quote=True)}">x</p>', None),
        (f'<img src="{SCRIPT_URL}">', None),
    ],
)
def test_what_became_part_of_a_page(page, found):
    assert injected(page) == found


def test_a_script_url_as_an_image_counts_where_it_is_asked_for():
    assert injected(f'<img src="{SCRIPT_URL}">', images=True) == "a script URL in <img src>"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Traceback (most recent call last):\n", "Traceback (most recent call last)"),
        ("    at Server.listen (net.js:12)", "at Server.listen (net.js:12"),
        ("redis.exceptions.ConnectionError", "redis.exceptions"),
        ('{"error": "invalid_grant"}', None),
    ],
)
def test_what_an_answer_shows_of_the_inside(text, found):
    shown = internals(text)
    assert (shown is None) is (found is None)
    assert found is None or (shown or "").startswith(found[:20])
