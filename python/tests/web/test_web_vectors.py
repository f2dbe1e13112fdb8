"""The vectors of the web flow, through the flow of this module."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import ConfigError

from .flow_site import FlowSite, make_client
from .replay import CASES, Replay, Surroundings, load

if TYPE_CHECKING:
    from collections.abc import Iterator


ALL_CASES = [*CASES, *load("web_codes")["cases"], *load("web_sessions")["cases"]]


@pytest.fixture(scope="module")
def surroundings() -> Iterator[Surroundings]:
    surroundings = Surroundings()
    yield surroundings
    surroundings.broker.stop()


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case["id"])
def test_requests_are_answered_as_the_vectors_say(
    case: dict[str, Any], surroundings: Surroundings, runner: asyncio.Runner
) -> None:
    made = make_client(**surroundings.given_to(case))
    if not case["steps"]:
        with pytest.raises(ConfigError) as caught:
            FlowSite(made, runner)
        assert caught.value.code == case["expect"]["code"]
        return
    replay = Replay(case, surroundings, FlowSite(made, runner))
    for number, step in enumerate(case["steps"]):
        wrong = replay.take(step)
        assert not wrong, f"step {number}:\n" + "\n".join(wrong)
    runner.run(made.client.aclose())
