"""Which results and figures a soak accepts, and which it does not."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from broker import FAULTS
from faults import KINDS, Fault
from figures import MOST_KIB_PER_1000_LOGINS, Slope, band, growth, theil_sen
from judge import BUSY, CONSEQUENCES, judge
from plot import svg
from process import Sample


def odd(code: str, **changes: Any) -> dict[str, Any]:
    usual = {"store": "redis", "client": "node/redis", "begun": 99.9, "called": 100, "ended": 100.1}
    return {"code": code, "signed": 100, **usual, **changes}


def judged(outcome: dict[str, Any], *faults: Fault) -> str:
    return judge(outcome, faults, session_ttl=60, timeout=3)


EVERYTHING = [Fault(kind, 90, 110) for kind in CONSEQUENCES]


@pytest.mark.parametrize(
    "code",
    [
        *("success", "hang", "crash", "mixed_up", "wrong_class", "nobody"),
        *("session_used", "session_email", "token_signature", "token_expired"),
        *("store_full", "store_failed", "internal", "invalid_option"),
    ],
)
def test_a_failure_without_a_fault_is_not_excused(code: str) -> None:
    assert judged(odd(code), *EVERYTHING) == ""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("store_unavailable", "redis_stalls"),
        ("session_unknown", "redis_is_killed"),
        ("token_key_unknown", "keys_forgotten"),
        ("broker_unreachable", "broker_restarts"),
        ("broker_timeout", "broker_stalls"),
        ("no_token", "broker_restarts"),
    ],
)
def test_a_fault_excuses_its_own_consequences_for_a_while(code: str, kind: str) -> None:
    assert judged(odd(code), Fault(kind, 95, 99.95)) == kind
    assert judged(odd(code), Fault(kind, 100.2, 103)) == "", "it came later"
    assert judged(odd(code), Fault(kind, 40, 50)) == "", "it was over"
    others = [fault for fault in EVERYTHING if code not in CONSEQUENCES[fault.kind]]
    assert judged(odd(code), *others) == ""


def test_every_injected_fault_has_consequences() -> None:
    assert set(KINDS) | {*FAULTS, BUSY} == set(CONSEQUENCES)


def test_a_failed_request_excuses_the_client_that_made_it() -> None:
    fault = Fault("garbage", 99.95, 99.95, "node/redis")
    assert judged(odd("broker_document"), fault) == "garbage"
    assert judged(odd("broker_document", client="node/fresh-1"), fault) == ""
    assert judged(odd("broker_status"), fault) == ""


@pytest.mark.parametrize("code", ["store_unavailable", "session_unknown"])
def test_a_fault_of_redis_excuses_no_failure_of_the_memory_store(code: str) -> None:
    assert judged(odd(code, store="memory"), *EVERYTHING) == ""


def test_a_token_may_be_older_than_the_keys() -> None:
    fault = Fault("keys_forgotten", 50, 50)
    assert judged(odd("token_key_unknown", signed=49), fault) == "keys_forgotten"
    assert judged(odd("token_key_unknown", signed=65), fault) == ""


def test_a_busy_machine_excuses_time_limits_only() -> None:
    busy = Fault(BUSY, 98, 99)
    assert judged(odd("store_unavailable"), busy) == BUSY
    assert judged(odd("broker_timeout"), busy) == BUSY
    for code in ("broker_unreachable", "session_unknown", "token_key_unknown", "hang", "success"):
        assert judged(odd(code), busy) == ""
    assert judged(odd("store_unavailable", store="memory"), busy) == ""


def test_a_login_that_took_too_long_counts_as_expired() -> None:
    assert judged(odd("session_unknown", begun=39.9)) == "expired"
    assert judged(odd("session_unknown", begun=41)) == ""


def samples(kib_per_login: float, noise: int) -> list[Sample]:
    chance = random.Random(1)
    return [
        Sample(
            seconds=second,
            logins=second * 200,
            resident_kib=int(50_000 + second * 200 * kib_per_login + chance.randint(0, noise)),
            threads=5,
            descriptors=20,
            own={},
        )
        for second in range(900)
    ]


def resident(some: list[Sample]) -> Slope:
    return growth(some, lambda sample: sample.resident_kib)


def test_memory_that_rises_and_falls_counts_as_flat() -> None:
    slope = resident(samples(0, noise=4_000))
    assert slope.low < slope.middle < slope.high < MOST_KIB_PER_1000_LOGINS


def test_the_smallest_allocation_lost_with_every_login_is_a_leak() -> None:
    slope = resident(samples(32 / 1024, noise=4_000))
    assert MOST_KIB_PER_1000_LOGINS < slope.low < 32 * 1000 / 1024 < slope.high


def test_a_short_run_does_not_prove_growth() -> None:
    assert resident(samples(1, noise=4_000)[:30]).low < 0


def test_outliers_do_not_change_the_slope() -> None:
    points = [(float(x), 3.0 * x) for x in range(50)]
    points[::7] = [(x, 1e6) for x, _ in points[::7]]
    assert theil_sen(points).middle == pytest.approx(3, abs=0.5)


def test_the_band_is_taken_from_the_beginning() -> None:
    some = samples(0, noise=0)
    assert band(some, 90, "threads") == (5, 5)


def test_the_chart_is_an_image_with_units() -> None:
    root = ET.fromstring(svg("python", samples(0, noise=2_000), [(200, 210)], warm_up=225))
    words = " ".join(root.itertext())
    for word in ("resident memory in MiB", "threads", "open descriptors", "seconds"):
        assert word in words
