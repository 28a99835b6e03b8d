"""A browser whose clock a test moves, and ways to ask what became of one cookie."""

from __future__ import annotations

from oauth_litmus.browser.model import Navigation, Rejected

RELAY = "https://relay.example.com"
CALLBACK = f"{RELAY}/auth/callback"
PROVIDER = "https://accounts.provider.test/consent?code=secret"
START = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.time = START

    def __call__(self):
        return self.time


def from_provider(method="GET", url=CALLBACK, top_level=True):
    return Navigation(url, method, top_level=top_level, initiator=PROVIDER)


def the_only(outcomes):
    (outcome,) = outcomes
    return outcome


def rule_of(browser, header, url=RELAY, **how):
    outcome = the_only(browser.receive(url, [header], **how))
    return outcome.reason.rule if isinstance(outcome, Rejected) else None
