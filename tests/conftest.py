"""What holds for all tests."""

import pytest
from hypothesis import settings

# What fails in `tests/interop/judging.py` is told as in a test.
pytest.register_assert_rewrite("judging")
# A machine that does something else for a moment is no failure of the example that it was at.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
