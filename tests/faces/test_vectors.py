"""The vectors of the web flow over HTTP, against a site of each integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from faces.table import FACES, REFUSED_BY_SERVERS, replays
from tests.web.replay import CASES, Replay, load

if TYPE_CHECKING:
    from faces.served import ServedSite
    from tests.web.replay import Surroundings


ALL_CASES = [*CASES, *load("web_codes")["cases"], *load("web_sessions")["cases"]]


def runs_over_http(case: dict[str, Any]) -> bool:
    """Whether every step of a case can be sent over HTTP."""
    if case["id"] in REFUSED_BY_SERVERS:
        return False
    return not any("given" in step or "form_token_checked" in step for step in case["steps"])


@pytest.mark.parametrize(
    ("face", "case"),
    [
        pytest.param(name, case, id=f"<{name}>-{case['id']}")
        for name in FACES
        for case in filter(runs_over_http, ALL_CASES)
        if replays(name, case)
    ],
    indirect=["face"],
    scope="session",
)
def test_requests_are_answered_as_the_vectors_say(
    case: dict[str, Any], face: ServedSite, surroundings: Surroundings
) -> None:
    refused = face.make(case, surroundings)
    assert refused == case.get("expect", {}).get("code")
    replay = Replay(case, surroundings, face)
    for number, step in enumerate(filter(face.can_ask, case["steps"])):
        wrong = replay.take(step)
        if face.refuses(case):
            assert "status: 400" in wrong[0]
            return
        assert not wrong, f"step {number}:\n" + "\n".join(wrong)
