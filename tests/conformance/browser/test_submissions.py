"""The submission of a page: how a form is filled, and which form and button are chosen."""

from __future__ import annotations

import pytest
from page_reading import CONSENT, form, page

from oauth_litmus.browser.pages import choose_form

LOGIN = """<form method=post action=login><input name=username required><input type=password name=password>
    <button name=go value=login>Sign in</button></form>"""
SEARCH = "<form role=search action=/search><input name=q><button name=go value=search>Go</button></form>"
LOGOUT = "<form method=post action=/logout><button name=go value=out>Continue elsewhere</button></form>"
LANGUAGE = """<form action=/l><select name=lang><option>en<option>de</select>
    <button name=go value=language>OK</button></form>"""
GOOGLE = "<form method=post action=/google><button name=go value=google>Continue with Google</button></form>"
AUTO_POST = "<form method=post action=https://rp.test/cb><input type=hidden name=go value=code></form>"
GOING_ON = """Allow|Approve|ACCEPT|Continue|Authorize app|Authorise|Yes|Sign in|Sign-In|Log in|Login|Next|Submit|I agree
Weiter|OK|Grant access|Confirm|""".replace("\n", "|").split("|")
REFUSING = """Deny|Cancel|No|No, thanks|Reject|Decline|Don't allow|Don\u2019t allow|Do not allow|Disallow|Go back
Not now|Never allow""".replace("\n", "|").split("|")


def pressed(html, fields=None, *, approve=True):
    """The values of the fields called `go` that the chosen submission holds."""
    submission = choose_form(page(html), fields or {}, approve=approve)
    return None if submission is None else [value for name, value in submission.body if name == "go"]


# Filling


def test_filling_sends_what_a_browser_sends_in_the_order_of_the_page():
    read = form(CONSENT)

    submission = read.fill({}, read.buttons[1])

    assert (submission.url, submission.method) == ("https://relay.example.com/auth/consent", "POST")
    assert submission.body == [("csrf", "t0k"), ("remember", "1"), ("go", "allow")]


FILLABLE = """<form><input name=text value=old><input type=hidden name=hidden value=h><textarea name=area></textarea>
    <input type=checkbox name=box value=b><input type=radio name=r value=1 checked><input type=radio name=r value=2>
    <select name=s><option value=x>Ex<option value=y>Why</select></form>"""


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"text": "new"}, {"text": "new"}),
        ({"area": "a\nb"}, {"area": "a\r\nb"}),
        ({"box": "b"}, {"box": "b"}),
        ({"box": "on"}, {"box": "b"}),
        ({"box": "no"}, {}),
        ({"r": "2"}, {"r": "2"}),
        ({"r": "3"}, {}),
        ({"s": "y"}, {"s": "y"}),
        ({"s": "Why"}, {"s": "y"}),
        ({"s": "z"}, {}),
        ({"hidden": "new", "unknown": "x"}, {}),
    ],
)
def test_values_go_where_a_person_could_put_them(values, changed):
    untouched = {"text": "old", "hidden": "h", "area": "", "r": "1", "s": "x"}

    assert dict(form(FILLABLE).fill(values).body) == untouched | changed


def test_the_button_may_change_address_and_method():
    read = form("<form action=/a><button name=n formaction=/b formmethod=post>Go</button></form>")

    submission = read.fill({}, read.buttons[0])

    assert (submission.url, submission.method) == ("https://relay.example.com/b", "POST")


def test_an_image_button_sends_where_it_was_hit():
    read = form("<form><input type=image name=n></form>")

    assert read.fill({}, read.buttons[0]).body == [("n.x", "0"), ("n.y", "0")]


def test_what_a_person_must_still_type_is_named():
    assert form(LOGIN).missing({"username": "ada"}) == ("password",)


def test_what_was_typed_stays_out_of_the_repr():
    assert "hush" not in repr(form(LOGIN).fill({"password": "hush"}))


# Choosing


@pytest.mark.parametrize(
    ("html", "fields", "go"),
    [
        (CONSENT, {}, ["allow"]),
        (LOGIN, {"username": "ada", "password": "pw"}, ["login"]),
        (LOGIN, {"username": "ada"}, None),
        (LOGIN, {}, None),
        (GOOGLE, {}, ["google"]),
        (GOOGLE + LOGIN, {}, ["google"]),
        (GOOGLE + LOGIN, {"username": "ada", "password": "pw"}, ["login"]),
        (SEARCH + LOGOUT + LANGUAGE + CONSENT, {}, ["allow"]),
        (SEARCH + LOGOUT + LANGUAGE, {}, None),
        (AUTO_POST, {}, ["code"]),
        (AUTO_POST + CONSENT, {}, ["allow"]),
        ("<p>Nothing here</p>", {}, None),
        ("", {}, None),
    ],
)
def test_the_form_that_leads_on_is_chosen(html, fields, go):
    assert pressed(html, fields) == go


@pytest.mark.parametrize("label", GOING_ON)
def test_a_single_button_is_pressed_whatever_it_says(label):
    assert pressed(f"<form><button name=go value=x>{label}</button></form>") == ["x"]


@pytest.mark.parametrize("label", REFUSING)
def test_a_refusing_button_is_never_pressed_to_go_on(label):
    html = f"<form><button name=go value=x>{label}</button></form>"

    assert (pressed(html), pressed(html, approve=False)) == (None, ["x"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("name=go value=deny", "name=go value=approve"),
        ("name=go value=false", "name=go value=true"),
        ("name=cancel value=1", "name=approve value=1"),
        ("name=btnCancel value=1", "name=btnApprove value=1"),
    ],
)
def test_buttons_in_another_language_are_known_by_value_or_name(first, second):
    read = page(f"<form><button {first}>いいえ</button><button {second}>はい</button></form>")
    no, yes = (button.entries() for button in read.forms[0].buttons)

    assert choose_form(read, {}, approve=True).body == yes
    assert choose_form(read, {}, approve=False).body == no


def test_approval_comes_before_going_on():
    html = "<form><button name=go value=1>Continue</button><button name=go value=2>Allow</button></form>"

    assert pressed(html) == ["2"]


@pytest.mark.parametrize(("html", "go"), [(CONSENT, ["deny"]), (LOGIN, None), (GOOGLE, None), (AUTO_POST, None)])
def test_refusing_presses_only_a_button_that_refuses(html, go):
    assert pressed(html, approve=False) == go


def test_refusing_may_be_a_form_of_its_own():
    html = GOOGLE + "<form method=post action=/deny><button name=go value=no>Cancel</button></form>"

    assert pressed(html, approve=False) == ["no"]


def test_boxes_that_must_be_ticked_are_ticked():
    read = page(
        """<form><input type=checkbox name=terms value=1 required><input type=checkbox name=spam value=1>
        <input type=radio name=r value=a required><input type=radio name=r value=b required>
        <button>Accept</button></form>"""
    )

    assert choose_form(read, {}).body == [("terms", "1"), ("r", "a")]


def test_an_optional_text_field_does_not_hinder_approval():
    assert pressed("<form><input name=note><button name=go value=x>Allow</button></form>") == ["x"]


def test_a_form_of_blank_fields_is_not_sent():
    assert pressed("<form><input name=otp><button name=go value=x>Continue</button></form>") is None
