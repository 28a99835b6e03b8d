"""An engine that has judged the checks of a test."""

import pytest
from engine_checks import engine_for


@pytest.fixture
def judged(monkeypatch):
    """The verdicts of these checks, each by id; the checks know each other's ids."""

    async def judge(*checks, run=None, **more):
        engine = engine_for(monkeypatch, *checks, run=run, **more)
        results = await engine.judge(checks)
        assert [result.check for result in results] == list(checks)
        return engine

    return judge
