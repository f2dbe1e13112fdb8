"""The pages to which a login may redirect: the shared vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portier_client._native import safe_next

VECTORS = Path(__file__).parents[3] / "tests" / "vectors" / "next.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_vectors_are_answered_as_expected(case: dict[str, Any]) -> None:
    assert safe_next(case["next"], case.get("allowed_hosts", ())) == case["expect"]


def test_over_long_pages_are_refused() -> None:
    assert safe_next("/" + "a" * 1023) is not None
    assert safe_next("/" + "a" * 1024) is None
    assert safe_next("/\ud800") is None
