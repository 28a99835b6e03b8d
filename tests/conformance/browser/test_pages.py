"""The page reader: forms, controls, links and text, from any string."""

from __future__ import annotations

import time
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_reading import CONSENT, URL, form, page

from oauth_litmus.browser.pages import Button, Field, Link, Option, choose_form, mentions, read_page

MARKUP = """<form>|</form>|<form id=f>|<input name=a>|<input form=f type=image>|<button>|<select name=s>
<option selected>
<textarea name=t>|<base href='http://['>|<a href='http://['>|<meta http-equiv=refresh content='0;url=//['>|<![|<!--
<?xml version='1.0'?>|<p hidden>|&#xffffffff;|<script>""".replace("\n", "|").split("|")


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
