"""Consent: per client, bound to the browser that got the page, and remembered only if the operator allows it."""

import pytest
from relay_worlds import ISSUER, REDIRECT_URI, ConsentForm, open_world, query_of


@pytest.fixture
def token_class():
    return "supabase"


async def consent_page(world, client=None, **parameters):
    login = await world.authorize(client or await world.register(), **parameters)
    answer = await login.browser.get(login.location)
    assert answer.status_code == 200
    return login, answer


async def test_the_page_names_client_host_and_scopes(world):
    _, page = await consent_page(world, await world.register(client_name="Ada's notes"))

    for shown in ("Ada&#39;s notes", "client.example.com", "mcp:read", "mcp:write"):
        assert shown in page.text


async def test_markup_in_a_client_name_is_escaped(world):
    _, page = await consent_page(world, await world.register(client_name="<img src=x onerror=alert(1)>"))

    assert "<img" not in page.text


async def test_the_page_cannot_be_framed_cached_or_sent_as_referrer(world):
    _, page = await consent_page(world)

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        (REDIRECT_URI, "https://client.example.com"),
        ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://[::1]:3000/cb", "http:"),
    ],
)
async def test_the_form_may_redirect_to_supabase_and_to_the_client(world, redirect_uri, source):
    client = await world.register(redirect_uris=[redirect_uri])
    _, page = await consent_page(world, client, redirect_uri=redirect_uri)

    policy = page.headers["content-security-policy"]
    (directive,) = (part for part in policy.split("; ") if part.startswith("form-action"))

    assert directive.split()[1:] == ["'self'", "http://localhost:9999", "https:", source]


async def test_a_denial_is_sent_to_the_client_and_ends_the_login(world):
    login, page = await consent_page(world)
    form = ConsentForm(page.text)

    answer = await login.browser.post(form.action, {**form.fields, "decision": "deny"})

    assert answer.status_code == 303
    assert query_of(answer.headers["location"]) == {
        "error": "access_denied",
        "error_description": "the user denied the request",
        "state": "client-state",
        "iss": ISSUER,
    }
    assert not login.browser.cookies
    assert (await login.browser.get(login.location)).status_code == 400


async def test_every_decision_but_allow_is_a_denial(world):
    login, page = await consent_page(world)
    form = ConsentForm(page.text)

    answer = await login.browser.post(form.action, form.fields)

    assert query_of(answer.headers["location"])["error"] == "access_denied"


async def test_another_browser_cannot_approve(world):
    _, page = await consent_page(world)
    form = ConsentForm(page.text)
    victim, _ = await consent_page(world)

    for browser in (world.browser(), victim.browser):
        answer = await browser.post(form.action, {**form.fields, "decision": "allow"})
        assert answer.status_code == 400


async def test_the_page_of_another_login_cannot_approve(world):
    login, _ = await consent_page(world)
    state = login.location.rpartition("/")[2]
    other = await world.authorize(login.client, login.browser)
    form = ConsentForm((await login.browser.get(other.location)).text)

    answer = await login.browser.post(form.action, {**form.fields, "state": state, "decision": "allow"})

    assert answer.status_code == 403


async def test_an_approval_without_the_hidden_fields_is_refused(world):
    login, page = await consent_page(world)
    form = ConsentForm(page.text)

    assert (await login.browser.post(form.action, {"decision": "allow"})).status_code == 400
    without_token = {"state": form.fields["state"], "decision": "allow"}
    assert (await login.browser.post(form.action, without_token)).status_code == 403


async def test_a_get_request_cannot_approve(world):
    login, page = await consent_page(world)

    assert (await login.browser.get(ConsentForm(page.text).action)).status_code == 405


async def test_consent_is_not_remembered_by_default(world):
    login, _ = await consent_page(world)
    await world.approve(login)

    again = await world.authorize(login.client, login.browser)

    assert (await login.browser.get(again.location)).status_code == 200


@pytest.fixture
async def remembering_world():
    async with open_world(remember_consent_ttl=3600) as world:
        yield world


async def test_with_remembered_consent_the_user_is_not_asked_again(remembering_world):
    login, _ = await consent_page(remembering_world, scope="mcp:read")
    await remembering_world.approve(login)

    again = await remembering_world.authorize(login.client, login.browser, scope="mcp:read")

    assert (await login.browser.get(again.location)).status_code == 303


async def test_remembered_consent_is_for_one_client_redirect_uri_and_scope(remembering_world):
    uris = [REDIRECT_URI, REDIRECT_URI + "2"]
    client = await remembering_world.register(redirect_uris=uris)
    login, _ = await consent_page(remembering_world, client, scope="mcp:read")
    await remembering_world.approve(login)
    other = await remembering_world.register()

    for asked, parameters in (
        (other, {"scope": "mcp:read"}),
        (client, {"scope": "mcp:read", "redirect_uri": uris[1]}),
        (client, {"scope": "mcp:read mcp:write"}),
    ):
        again = await remembering_world.authorize(asked, login.browser, **parameters)
        assert (await login.browser.get(again.location)).status_code == 200


async def test_remembered_consent_of_one_client_is_refused_for_another(remembering_world):
    login, _ = await consent_page(remembering_world)
    await remembering_world.approve(login)
    (value,) = (value for name, value in login.browser.cookies.items() if "consent" in name)
    other = await remembering_world.register()
    fresh, _ = await consent_page(remembering_world, other)
    await remembering_world.approve(fresh)
    for name in fresh.browser.cookies:
        if "consent" in name:
            fresh.browser.cookies[name] = value

    again = await remembering_world.authorize(other, fresh.browser)

    assert (await fresh.browser.get(again.location)).status_code == 200


async def test_remembered_consent_expires(clock, remembering_world):
    login, _ = await consent_page(remembering_world)
    await remembering_world.approve(login)
    clock.tick(3600)

    again = await remembering_world.authorize(login.client, login.browser)

    assert (await login.browser.get(again.location)).status_code == 200
