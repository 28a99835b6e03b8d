"""How operators write rates."""

import pytest

from oauth_litmus.limits.rates import Rate


@pytest.mark.parametrize(("text", "rate"), [("10/60", (10, 60.0)), (" 5 / 0.5 s ", (5, 0.5)), ("1/1s", (1, 1.0))])
def test_a_rate_is_parsed_as_operators_write_it(text, rate):
    read = Rate.parse(text)

    assert (read.count, read.seconds) == rate


@pytest.mark.parametrize("text", ["", "10", "0/60", "10/0", "-1/60", "10/60m", "ten/60", "10/60/1"])
def test_a_wrong_rate_is_explained(text):
    with pytest.raises(ValueError, match="a rate is written N/SECONDS, as in 10/60"):
        Rate.parse(text)


def test_a_rate_is_shown_as_it_is_written():
    assert str(Rate.parse("10/60")) == "10/60"
