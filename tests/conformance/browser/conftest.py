"""A browser on a clock that is moved."""

import pytest
from cookie_jar import Clock

from oauth_litmus.browser.model import Browser


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def browser(clock):
    return Browser(clock)
