"""Where a login may lead back to: the shared vectors, and through the example site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from portier_client._native import safe_next

if TYPE_CHECKING:
    from collections.abc import Callable

    from .visitor import Page, Visitor

VECTORS = Path(__file__).parents[3] / "tests" / "vectors" / "next.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
ON_SITE = [case for case in CASES if "allowed_hosts" not in case]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_vectors_are_answered_as_expected(case: dict[str, Any]) -> None:
    assert safe_next(case["next"], case.get("allowed_hosts", ())) == case["expect"]


@pytest.mark.parametrize("case", ON_SITE, ids=lambda case: case["id"])
def test_web_04_a_login_never_leads_off_the_site(
    visitor: Visitor, site: str, walk: Callable[..., Page], case: dict[str, Any]
) -> None:
    answer = visitor.submit(walk(next_page=case["next"]), follow=False)
    assert answer.status == 303
    landed = urljoin(f"{site}/verify", answer.headers["Location"])
    assert landed.startswith(f"{site}/")
    if not any(ord(c) < 32 for c in case["next"]):
        # Tornado makes spaces of control characters before a handler sees them.
        assert answer.headers["Location"] == (case["expect"] or "/")


def test_over_long_pages_are_refused() -> None:
    assert safe_next("/" + "a" * 1023) is not None
    assert safe_next("/" + "a" * 1024) is None
    assert safe_next("/\ud800") is None
