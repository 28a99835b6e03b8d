"""Settings for all tests."""

import signal

import pytest
from hypothesis import settings

# Asserts in `tests/interop/judging.py` then report their values, as in a test module.
pytest.register_assert_rewrite("judging")
# A busy machine must not fail an example of hypothesis.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# A shell makes background jobs ignore SIGINT, and the servers started by tests inherit that. Then no test could interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
