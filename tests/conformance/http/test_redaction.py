"""Redaction removes every secret of a run, in each form of it, and leaves public values readable."""

import html
import json
import re
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from oauth_litmus.http.redaction import SECRET_PARAMETERS, Redactor

FINGERPRINT = re.compile(r"<[^<>]+:[0-9a-f]{8}>")
OPAQUE = "abcDEF123-abcDEF123_abcDEF123"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"
MARK = "\N{BLACK SQUARE}"

secret_texts = st.text(min_size=6, max_size=60).filter(lambda text: MARK not in text)
token_texts = st.text("ABCDEFabcdef0123456789-._~", min_size=6, max_size=60)
any_text = st.text(max_size=60).filter(lambda text: MARK not in text)
spellings = st.sampled_from(
    [
        str,
        lambda secret: quote(secret, safe=""),
        quote_plus,
        lambda secret: re.sub("%..", lambda escape: escape.group().lower(), quote(secret, safe="")),
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
        lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"),
        html.escape,
    ]
)


def redactor(*learnt, public=()):
    made = Redactor()
    for value in public:
        made.publish(value)
    for secret in learnt:
        made.learn(secret)
    return made


def without_fingerprints(text):
    return FINGERPRINT.sub(MARK, text)


def digest(text):
    (found,) = FINGERPRINT.findall(text)
    return found.rpartition(":")[2]


@given(secret=secret_texts, before=any_text, after=any_text, spell=spellings)
def test_no_learnt_secret_survives_in_a_text(secret, before, after, spell):
    shown = redactor(secret).text(f"{before}{spell(secret)}{after}")

    assert spell(secret) not in without_fingerprints(shown)


@pytest.mark.parametrize("place", range(20))
@pytest.mark.parametrize(
    "secret", ["sixsix", "twelve:12:::", "thirteen:13::", "fourteen:14:::", "a long passphrase of words"]
)
def test_a_learnt_secret_is_found_wherever_it_begins(secret, place):
    text = f"{'x' * place}{secret}"

    assert redactor(secret).text(text).startswith(f"{'x' * place}<secret:")
    assert redactor(secret, "shorty").text(text).startswith(f"{'x' * place}<secret:")


@given(learnt=st.lists(secret_texts, min_size=2, max_size=4), between=any_text)
@example(learnt=["000010", "000000"], between="")
def test_no_learnt_secret_survives_among_others(learnt, between):
    shown = redactor(*learnt).text(between.join(learnt))

    assert not any(secret in without_fingerprints(shown) for secret in learnt)


@given(
    secret=token_texts, name=st.sampled_from(["location", "x-request-id", "cookie", "set-cookie", "link", "x-token"])
)
def test_no_learnt_secret_survives_in_a_header(secret, name):
    shown = redactor(secret).header(name, f"a={secret}; path=/{secret}")

    assert secret not in without_fingerprints(shown)


@given(secret=secret_texts, key=st.sampled_from(["x", "access_token"]))
def test_no_learnt_secret_survives_in_json(secret, key):
    shown = redactor(secret).text(json.dumps({key: [secret, {secret: "a"}]}, ensure_ascii=False))

    assert secret not in without_fingerprints(shown)


@given(secret=secret_texts, key=st.sampled_from(["x", "code"]))
def test_no_learnt_secret_survives_in_a_form(secret, key):
    form = urlencode({key: secret})

    assert form not in redactor(secret).text(f"https://client.example.com/cb?{form}#{form}")


@given(learnt=st.lists(secret_texts, max_size=3), text=any_text)
def test_redacting_again_changes_nothing(learnt, text):
    made = redactor(*learnt)
    once = made.text(f"{text} {' '.join(learnt)} code={text}")

    assert made.text(once) == once


@given(first=secret_texts, second=secret_texts)
def test_fingerprints_are_equal_exactly_when_the_secrets_are(first, second):
    assume(first != second)
    made = redactor()

    assert made.fingerprint(first) == made.fingerprint(first) != made.fingerprint(second)


def test_one_secret_has_one_digest_wherever_it_stands():
    made = redactor()
    shown = [
        made.text("code=a%2Fb%2Fcdef"),
        made.text('"code": "a/b/cdef"'),
        made.header("cookie", "st=a/b/cdef"),
        made.header("authorization", "Bearer a/b/cdef"),
    ]

    assert len({digest(text) for text in shown}) == 1


def test_another_run_has_other_fingerprints():
    assert redactor().fingerprint("secret") != redactor().fingerprint("secret")


@pytest.mark.parametrize("name", sorted(SECRET_PARAMETERS))
def test_what_stands_in_a_telling_place_is_taken_out_unlearnt(name):
    shown = redactor().text(f'GET /x?{name}=lettersonly&a=b {{"{name}": "lettersonly", "a": "b"}}')

    assert "lettersonly" not in shown
    assert '"a": "b"' in shown


def test_a_telling_place_within_the_value_of_another_parameter_is_seen():
    assert "lettersonly" not in redactor().text("next=/callback?code=lettersonly")


@pytest.mark.parametrize("name", ["client_secret", "password", "apikey"])
def test_credentials_are_taken_out_however_short(name):
    assert "s3cr" not in redactor().text(f'{name}=s3cr {{"{name}":"s3cr"}}')


@pytest.mark.parametrize("text", [OPAQUE, f"x {JWT} y", f"https://e.example/{OPAQUE}/x", f"Bearer {OPAQUE}"])
def test_what_looks_like_a_secret_is_taken_out_unlearnt(text):
    shown = redactor().text(text)

    assert OPAQUE not in shown
    assert JWT not in shown


@pytest.mark.parametrize(
    "text",
    [
        '{"error":"invalid_grant","error_description":"the code was used"}',
        "GET http://127.0.0.1:8000/.well-known/oauth-authorization-server",
        "scope=openid+email&grant_type=authorization_code&resource=http%3A%2F%2F127.0.0.1%3A8000%2Fmcp",
        "state=ab",
        'Bearer error="invalid_token", resource_metadata="https://e.example/.well-known/oauth-protected-resource/mcp"',
    ],
)
def test_ordinary_protocol_stays_readable(text):
    assert redactor().text(text) == text


@pytest.mark.parametrize(
    "value",
    [
        OPAQUE,
        "0f8fad5b-d9cb-469f-a165-70867728950e",
        "123456789012-abcdefghijklmnopqrstuvwx.apps.googleusercontent.com",
        "https://client.example.com/0123456789abcdefghijklmn/client.json",
    ],
)
def test_public_values_stay(value):
    made = redactor(public=[value])
    texts = [f"client_id={value}&a=b", f'{{"client_id":"{value}"}}', urlencode({"client_id": value})]

    assert [made.text(text) for text in texts] == texts


def test_a_part_of_a_public_value_is_not_public():
    made = redactor(public=["123456789012-abcdefghijklmnopqrstuvwx.apps.googleusercontent.com"])

    assert "abcdefghijklmnopqrstuvwx" not in made.text("x=123456789012-abcdefghijklmnopqrstuvwx")


def test_what_is_public_is_not_learnt():
    made = redactor("run-id-1", public=["run-id-1"])

    assert made.text("run-id-1") == "run-id-1"


def test_credentials_keep_their_scheme():
    shown = redactor().header("Authorization", "Basic YTpi")

    assert re.fullmatch(r"Basic <credentials:[0-9a-f]{8}>", shown)


def test_credentials_without_a_scheme_are_taken_out_whole():
    assert FINGERPRINT.fullmatch(redactor().header("proxy-authorization", "YTpi"))


def test_a_cookie_keeps_its_name_and_attributes():
    shown = redactor().header("set-cookie", "__Host-st=abc; Path=/; HttpOnly; SameSite=Lax")

    assert re.fullmatch(r"__Host-st=<cookie:[0-9a-f]{8}>; Path=/; HttpOnly; SameSite=Lax", shown)


def test_every_cookie_of_a_request_is_taken_out():
    shown = redactor().header("cookie", "a=first; b=second")

    assert re.fullmatch(r"a=<cookie:[0-9a-f]{8}>; b=<cookie:[0-9a-f]{8}>", shown)


def test_a_cookie_is_learnt():
    made = redactor()
    made.header("set-cookie", "st=lettersonly; Path=/")

    assert "lettersonly" not in made.text("unknown session lettersonly")


@pytest.mark.parametrize("name", ["apikey", "X-Api-Key", "x-csrf-token", "X-Client-Secret"])
def test_headers_that_are_nothing_but_a_secret_are_taken_out_whole(name):
    assert FINGERPRINT.fullmatch(redactor().header(name, "abc"))


def test_what_is_no_unicode_is_learnt_too():
    assert "\ud800lettersonly" not in redactor("\ud800lettersonly").text("x \ud800lettersonly")


@pytest.mark.parametrize("nothing", [None, "", "short"])
def test_what_could_stand_anywhere_is_not_learnt(nothing):
    assert redactor(nothing).text("a short text") == "a short text"


def test_a_secret_that_looks_like_a_fingerprint_is_a_secret():
    assert redactor("<pass:word>").text("<pass:word>") != "<pass:word>"


def test_a_text_that_was_harmless_is_redacted_from_the_moment_when_it_tells_a_secret():
    made = redactor()
    line = "x-session: correcthorse of no run"
    assert made.text(line) == made.text(line) == line

    made.learn("correcthorse")

    assert "correcthorse" not in made.text(line)
    assert "correcthorse" not in made.text(line)


def test_a_text_that_was_harmless_is_redacted_when_a_name_in_it_is_to_be_hidden():
    made = redactor()
    assert made.text("pin=1234") == "pin=1234"

    made.hide(["pin"])

    assert "1234" not in made.text("pin=1234")
