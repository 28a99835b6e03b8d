"""The profile: no key is required, each value is checked, and a message repeats a wrong value as it was written."""

import pytest

from oauth_litmus.limits.rates import Rate
from oauth_litmus.target.profile import Profile, ProfileError, load_profile

EVERYTHING = """
issuer = "https://as.example.com"
resource = "https://rs.example.com/mcp"
specification = "oauth2.1"
scopes = ["notes.read", "notes.write"]
initial_access_token_env = "IAT"
upstream_control = "http://127.0.0.1:9999/control"
topology = "via_edge"
own_server = true

[login]
driver = "redirects"
fields = { username = "ann" }
secret_fields = { password = "LITMUS_PASSWORD" }

[[clients]]
client_id = "known"
auth_method = "client_secret_basic"
secret_env = "CLIENT_SECRET"
redirect_uris = ["https://client.example.com/cb"]

[lifetimes]
code = 600
refresh_reuse_grace = 0

[limits]
register = "10/60"
token_failures = "5/30"

[http]
headers = { x-team = "auth" }
secret_headers = { x-key = "EDGE_KEY" }
"""


@pytest.fixture
def profile_of(tmp_path):
    def load(text):
        path = tmp_path / "profile.toml"
        path.write_text(text)
        return load_profile(path)

    return load


def complaint(profile_of, text):
    with pytest.raises(ProfileError) as refused:
        profile_of(text)
    return str(refused.value)


def test_nothing_is_required(profile_of):
    assert profile_of("") == Profile()


def test_everything_can_be_declared(profile_of):
    profile = profile_of(EVERYTHING)

    assert profile.scopes == ("notes.read", "notes.write")
    assert profile.clients[0].auth_method == "client_secret_basic"
    assert profile.lifetimes.code == 600
    assert profile.limits.declared() == {
        "register": Rate(count=10, seconds=60),
        "token_failures": Rate(count=5, seconds=30),
    }


def test_secrets_come_from_the_environment(profile_of, monkeypatch):
    monkeypatch.setenv("LITMUS_PASSWORD", "hunter2")
    monkeypatch.setenv("EDGE_KEY", "let me in")
    profile = profile_of(EVERYTHING)

    assert profile.login.values() == {"username": "ann", "password": "hunter2"}
    assert profile.http.all_headers() == {"x-team": "auth", "x-key": "let me in"}


def test_a_secret_that_is_not_set_is_told_by_its_variable(profile_of, monkeypatch):
    monkeypatch.delenv("LITMUS_PASSWORD", raising=False)

    with pytest.raises(ProfileError, match="the environment variable LITMUS_PASSWORD, which is not set"):
        profile_of(EVERYTHING).login.values()


@pytest.mark.parametrize(
    ("text", "key", "known"),
    [
        ("isuer = 'x'", "isuer", "issuer"),
        ("[lifetimes]\ncodes = 600", "lifetimes.codes", "code, pending_login, refresh_reuse_grace"),
        ("[limits]\nregister_ = '1/1'", "limits.register_", "register, resource, start"),
        ("[login]\nuser = 'ann'", "login.user", "driver, fields, max_logins, secret_fields"),
        ("[http]\nverify = false", "http.verify", "ca_file, client_certificate, client_key, headers"),
        (
            "[[clients]]\nclient_id='a'\nredirect_uris=['https://a.example/']\nsecret='x'",
            "clients.0.secret",
            "secret_env",
        ),
    ],
)
def test_an_unknown_key_names_the_known_ones(profile_of, text, key, known):
    told = complaint(profile_of, text)

    assert f"unknown key '{key}'; allowed keys: " in told
    assert known in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[lifetimes]\ncode = 0", "lifetimes.code: Input should be greater than 0 (got 0)"),
        ("[lifetimes]\nclock_leeway = 301", "lifetimes.clock_leeway: Input should be less than or equal to 300"),
        ("[lifetimes]\nrefresh_reuse_grace = -1", "lifetimes.refresh_reuse_grace: Input should be greater than or"),
        ("[limits]\ntoken = '10 a minute'", "limits.token: Value error, a rate is written N/SECONDS, as in 10/60"),
        ("[[login.steps]]\nclick = 'Go'", "login.steps.0.match is missing"),
        ("[[login.steps]]\nmatch = {}", "login.steps.0.match: Value error, is empty: give at least one of url"),
        (
            "[[login.steps]]\nmatch = { url = 'x' }\nclick = { buton = 'x' }",
            "unknown key 'login.steps.0.click.buton'; allowed keys: button, link",
        ),
        (
            "[login.browser]\nheadles = true",
            "unknown key 'login.browser.headles'; allowed keys: args, channel, executable, headed",
        ),
        ("topology = 'near'", "topology: Input should be 'direct', 'via_edge' or 'trusted'"),
        ("scopes = 'a b'", "scopes: Input should be a valid tuple"),
        ("[[clients]]\nredirect_uris = ['https://a.example/']", "clients.0.client_id is missing"),
        (
            "[[clients]]\nclient_id = 'a'\nredirect_uris = []",
            "clients.0.redirect_uris: Tuple should have at least 1 item",
        ),
    ],
)
def test_a_bad_value_is_told_by_its_key(profile_of, text, told):
    assert told in complaint(profile_of, text)


def test_every_mistake_is_told_at_once(profile_of):
    assert len(complaint(profile_of, "a = 1\nb = 2\n[lifetimes]\ncode = 'x'").splitlines()) == 3


def test_a_complaint_names_the_file(profile_of):
    assert "profile.toml: " in complaint(profile_of, "a = 1")


@pytest.mark.parametrize("text", ["not toml at all", "issuer = ", "[login", "a = 1\na = 2"])
def test_what_is_no_toml_is_said(profile_of, text):
    assert "is not valid TOML" in complaint(profile_of, text)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ProfileError, match=r"cannot read the profile .*missing\.toml"):
        load_profile(tmp_path / "missing.toml")


def test_a_file_that_is_no_text_is_said(tmp_path):
    path = tmp_path / "profile.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ProfileError, match="cannot read the profile"):
        load_profile(path)
