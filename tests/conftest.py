"""What holds for all tests."""

import signal

import pytest
from hypothesis import settings

# What fails in `tests/interop/judging.py` is told as in a test.
pytest.register_assert_rewrite("judging")
# A machine that does something else for a moment is no failure of the example that it was at.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# A shell that runs tests in the background has them ignore it, and what they start inherits that: nothing could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
