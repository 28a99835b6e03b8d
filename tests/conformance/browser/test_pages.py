"""The page reader: what it sees, what it sends, and what it presses."""

from __future__ import annotations

import time
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth_litmus.browser.pages import Button, Field, Link, Option, choose_form, mentions, read_page

URL = "https://relay.example.com/auth/consent?x=1"


def page(html):
    return read_page(URL, html)


def form(html):
    (only,) = page(html).forms
    return only


def pressed(html, fields=None, *, approve=True):
    """The values of the fields called `go` that the chosen submission holds."""
    submission = choose_form(page(html), fields or {}, approve=approve)
    return None if submission is None else [value for name, value in submission.body if name == "go"]


CONSENT = """<form method=post action=/auth/consent>
    <input type=hidden name=csrf value=t0k><input type=checkbox name=remember value=1 checked>
    <button name=go value=deny>Deny</button><button name=go value=allow>Allow access</button></form>"""
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
MARKUP = """<form>|</form>|<form id=f>|<input name=a>|<input form=f type=image>|<button>|<select name=s>
<option selected>
<textarea name=t>|<base href='http://['>|<a href='http://['>|<meta http-equiv=refresh content='0;url=//['>|<![|<!--
<?xml version='1.0'?>|<p hidden>|&#xffffffff;|<script>""".replace("\n", "|").split("|")


# Reading


def test_a_consent_form_is_read_whole():
    consent = form(CONSENT)

    assert (consent.action, consent.method) == ("https://relay.example.com/auth/consent", "POST")
    assert consent.enctype == "application/x-www-form-urlencoded"
    assert consent.fields == (
        Field("csrf", "hidden", "t0k"),
        Field("remember", "checkbox", "1", checked=True),
    )
    assert consent.buttons == (Button("go", "deny", "Deny"), Button("go", "allow", "Allow access"))


def test_every_kind_of_control_is_read():
    fields = form(
        """<form><input name=a><input type=EMAIL name=b required><input type=checkbox name=c>
        <input type=radio name=d value=1><input type=radio name=d value=2 checked>
        <select name=e><option value=x>Ex<option selected>Why</select><select name=f multiple><option>1</select>
        <textarea name=g>\nfirst\nsecond</textarea><input type=file name=h><input name=i disabled><input>
        <fieldset disabled><input name=j></fieldset></form>"""
    ).fields

    assert fields == (
        Field("a", "text"),
        Field("b", "email", required=True),
        Field("c", "checkbox", "on"),
        Field("d", "radio", "1"),
        Field("d", "radio", "2", checked=True),
        Field("e", "select", "Why", options=(Option("x", "Ex"), Option("Why", "Why"))),
        Field("g", "textarea", "first\nsecond"),
    )


@pytest.mark.parametrize(
    ("markup", "button"),
    [
        ("<input type=submit name=n value=Allow>", Button("n", "Allow", "Allow")),
        ("<button name=n value=v> Allow <b>it</b></button>", Button("n", "v", "Allow it")),
        ("<button>Go</button>", Button(None, "", "Go")),
        ("<button aria-label=Allow></button>", Button(None, "", "Allow")),
        ("<input type=image name=n alt=Allow>", Button("n", "", "Allow", is_image=True)),
        (
            "<button formaction=/no formmethod=POST>No</button>",
            Button(None, "", "No", "https://relay.example.com/no", "POST"),
        ),
    ],
)
def test_every_kind_of_submit_button_is_read(markup, button):
    assert form(f"<form>{markup}<button type=button>Script</button><input type=reset></form>").buttons == (button,)


@pytest.mark.parametrize(
    ("attributes", "action", "method"),
    [
        ("", URL, "GET"),
        ("action='' method=PoSt", URL, "POST"),
        ("action=next", "https://relay.example.com/auth/next", "GET"),
        ("action='//other.test/x' method=put", "https://other.test/x", "GET"),
        ("action='com.example.app:/cb'", "com.example.app:/cb", "GET"),
        ("action=/first action=/second", "https://relay.example.com/first", "GET"),
    ],
)
def test_the_action_is_absolute_and_the_method_get_or_post(attributes, action, method):
    read = form(f"<form {attributes}></form>")

    assert (read.action, read.method) == (action, method)


@pytest.mark.parametrize("attributes", ["method=dialog", "action='https://['"])
def test_forms_that_send_nothing_are_left_out(attributes):
    assert page(f"<form {attributes}><button>Go</button></form>").forms == ()


def test_controls_outside_their_form_belong_to_the_form_they_name():
    (one, two) = page(
        "<form id=one></form><form id=two><input name=a form=one></form><button form=one>Allow</button>"
    ).forms

    assert [field.name for field in one.fields] == ["a"]
    assert [button.label for button in one.buttons] == ["Allow"]
    assert two.fields == ()


def test_base_moves_relative_addresses():
    read = page("<base href=https://cdn.test/dir/><form action=x></form><a href=y>Y</a>")

    assert (read.forms[0].action, read.links) == ("https://cdn.test/dir/x", (Link("https://cdn.test/dir/y", "Y"),))


def test_links_are_absolute_and_never_script():
    read = page("<a href=/a>One <i>two</i></a><a href='JavaScript:x()'>No</a><a href='http://['>Bad</a><a>None</a>")

    assert read.links == (Link("https://relay.example.com/a", "One two"),)


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0;url=/next", "https://relay.example.com/next"),
        ("0; URL='/next'", "https://relay.example.com/next"),
        ('3, url="/next" ', "https://relay.example.com/next"),
        ("0.5 https://other.test/?a=b;c", "https://other.test/?a=b;c"),
        ("0;/next", "https://relay.example.com/next"),
        ("5", URL),
        ("url=/next", None),
        ("soon", None),
    ],
)
def test_a_meta_refresh_leads_on(content, target):
    assert page(f'<meta http-equiv=Refresh content="{escape(content)}">').meta_refresh == target


def test_the_text_is_what_is_visible():
    read = page(
        """<title> Sign
        in </title><style>p{}</style><p>Hello&nbsp;<b>you</b></p><script>var a = "no"</script><!-- no -->
        <p hidden>no</p><p style="display: none">no</p><template>no</template>&lt;b&gt;"""
    )

    assert (read.title, read.text) == ("Sign in", "Hello you <b>")


@pytest.mark.parametrize(
    ("text", "is_there"),
    [("evil app", True), ("Evil\n App", True), ("app of", True), ("other", False), ("secret", False)],
)
def test_mentions_looks_at_visible_text_only(text, is_there):
    assert mentions(page("<p>The <b>Ev</b>il&#32;App of X</p><!-- secret --><script>secret</script>"), text) is is_there


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


# Any input


@given(st.text(), st.lists(st.one_of(st.sampled_from(MARKUP), st.text())).map("".join))
def test_any_string_at_all_is_a_page(url, html):
    read = read_page(url, html)
    choose_form(read, {"a": "b"})

    assert mentions(read, "")


def test_deep_nesting_is_read():
    read = page("<div><form>" * 2000 + "<b>deep</b><button>Go</button>")

    assert mentions(read, "deep")


def test_markup_that_the_parser_refuses_is_an_empty_page():
    assert page("<![if foo").forms == ()


@pytest.mark.parametrize(
    "piece",
    ["<a>", "<a ", "<a x='", "<!--", "</", "<?", "<![CDATA[", "&", "<h1>", "<a href=x>", "<p style='display:none'>"],
)
def test_a_page_without_measure_is_read_in_a_moment_and_not_to_its_end(piece):
    began = time.process_time()

    read = page(piece * (1_048_576 // len(piece)))

    assert len(read.links) <= 1000
    assert time.process_time() - began < 5


def test_a_page_that_was_cut_within_a_tag_is_read_up_to_it():
    assert page("<form action=/go><input name=a value=1></form><a href='/beg").forms[0].fields[0].value == "1"
