"""Settings: validated, normalised, and refused with one sentence."""

import pytest
from cryptography.fernet import Fernet

from supabase_relay.app import create_app
from supabase_relay.settings import Settings, SettingsError

KEY = Fernet.generate_key().decode()


def test_no_setting_is_required():
    settings = Settings()

    assert settings.issuer == "http://127.0.0.1:8080"
    assert settings.resource == "http://127.0.0.1:8080/mcp"
    assert settings.redis_url is None


def test_settings_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("ISSUER", "https://auth.example.com/")
    monkeypatch.setenv("SCOPES", "a b,c")
    monkeypatch.setenv("LIMIT_REGISTER", "5/10")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8 ::1")
    monkeypatch.setenv("CODE_TTL", "")

    settings = Settings()

    assert settings.issuer == "https://auth.example.com"
    assert settings.resource == "https://auth.example.com/mcp"
    assert settings.scopes == ("a", "b", "c")
    assert (settings.limit_register.amount, settings.limit_register.seconds) == (5, 10)
    assert len(settings.trusted_proxies) == 2
    assert settings.code_ttl == 60


def test_the_issuer_of_supabase_is_its_url_unless_declared():
    assert (
        Settings(supabase_url="https://x.supabase.co/auth/v1/").expected_jwt_issuer == "https://x.supabase.co/auth/v1"
    )
    assert Settings(supabase_jwt_issuer="other").expected_jwt_issuer == "other"
    assert Settings(supabase_jwt_issuer="none").expected_jwt_issuer is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"issuer": "ftp://x"}, "ISSUER"),
        ({"issuer": "http://auth.example.com"}, "https"),
        ({"issuer": "https://user@auth.example.com"}, "ISSUER"),
        ({"issuer": "https://auth.example.com?x"}, "ISSUER"),
        ({"issuer": "https://auth.example.com:99999"}, "ISSUER"),
        ({"code_ttl": 0}, "CODE_TTL"),
        ({"code_ttl": "soon"}, "CODE_TTL"),
        ({"code_ttl": 601}, "CODE_TTL"),
        ({"clock_leeway": 301}, "CLOCK_LEEWAY"),
        ({"access_tokens": "opaque"}, "ACCESS_TOKENS"),
        ({"scopes": ""}, "SCOPES"),
        ({"scopes": 'a "b"'}, "SCOPES"),
        ({"limit_register": "10 per minute"}, "LIMIT_REGISTER"),
        ({"limit_register": "10/0"}, "LIMIT_REGISTER"),
        ({"trusted_proxies": "all"}, "TRUSTED_PROXIES"),
        ({"encryption_keys": "short"}, "ENCRYPTION_KEYS"),
        ({"redis_url": "redis://localhost"}, "ENCRYPTION_KEYS"),
        ({"redis_url": "redis://x", "encryption_keys": KEY, "access_tokens": "relay"}, "SIGNING_KEY"),
        ({"refresh_lease": 5, "upstream_timeout": 10}, "REFRESH_LEASE"),
        ({"no_such_setting": 1}, "NO_SUCH_SETTING"),
    ],
)
def test_an_invalid_value_is_refused_with_one_sentence_that_names_the_setting(values, named):
    with pytest.raises(SettingsError) as refusal:
        Settings(**values)

    assert named in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_invalid_secret_is_not_repeated_in_the_error():
    with pytest.raises(SettingsError) as refusal:
        Settings(encryption_keys="hush-hush")

    assert "hush" not in str(refusal.value)
    assert KEY not in repr(Settings(encryption_keys=KEY))


def test_a_relay_without_supabase_is_refused():
    with pytest.raises(SettingsError, match="SUPABASE_URL"):
        create_app(Settings())


@pytest.mark.parametrize("key", ["nonsense", "{}", '{"kty": "EC", "crv": "P-256"}', "-----BEGIN PRIVATE KEY-----\nx"])
def test_an_invalid_signing_key_is_refused(key):
    with pytest.raises(SettingsError, match="SIGNING_KEY"):
        create_app(Settings(supabase_url="http://localhost:1", access_tokens="relay", signing_key=key))
