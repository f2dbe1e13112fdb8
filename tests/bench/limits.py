"""The targets of the measured values."""

from __future__ import annotations

from typing import Any

import report_modes
from pairs import PAIRS
from tables import Limit, count, mega, micro, milli, size, times

PHASES = {
    "idle": "nothing to do",
    "while_they_start": "logins arrive, 10 in each turn",
    "while_they_wait": "all wait for the broker",
    "while_they_are_answered": "all are answered",
}


def limits(results: dict[str, Any]) -> list[Limit]:
    """All values that have a target."""
    rust, asyncio, node = results["rust"], results["asyncio"], results["node"]
    wheel, pending = results["wheel_bytes"], results["rust"]["pending"]
    most = max((name for name in pending if name != "usual"), key=int)

    def growth(half: str) -> Limit:
        ratio = pending[most][half]["microseconds"] / pending["0"][half]["microseconds"]
        title = f"`{half}` with {count(int(most))} logins pending, relative to none"
        return Limit(title, ratio, 1.05 if half == "verify" else 1.2, times)

    def callback(language: str, figures: dict[str, Any]) -> Limit:
        more = figures["callback"]["microseconds"] - figures["verify"]["microseconds"]
        return Limit(
            f"a callback through the web flow, more than `verify`, {language}", more, 10, micro
        )

    def worst(language: str) -> float:
        gaps = results["heartbeat"][language]["worst_gap_milliseconds"]
        return max(gaps[phase]["wall"]["median"] for phase in PHASES if phase != "idle")

    def cold(language: str, title: str) -> list[Limit]:
        figures = results["cold"][language]
        crowd = f"{count(figures['crowd'])} cold `verify` at once, {title}"
        gap = figures["worst_gap_seconds"] * 1000
        return [
            Limit(f"{crowd}: requests", figures["crowd_requests"], 2, count),
            Limit(
                f"{crowd}, started in one turn of the loop: longest time that the loop is blocked",
                gap,
                4,
                milli,
            ),
            Limit(
                f"{crowd}, 10 started per turn: longest time that the loop is blocked",
                worst(language),
                4,
                milli,
            ),
        ]

    def added(language: str, title: str) -> Limit:
        memory = results["cold"][language]["added_bytes"]
        return Limit(f"resident memory that a client adds, {title}", memory, 5e6, mega)

    return [
        Limit(
            "`verify`, Rust, relative to AWS-LC", pending["usual"]["verify"]["ratio"], 1.07, times
        ),
        Limit("awaited `verify`, asyncio", asyncio["verify"]["ratio"], 1.1, times),
        *to_ryjwt(asyncio),
        Limit("awaited `verify`, uvloop", results["uvloop"]["verify"]["ratio"], 1.1, times),
        Limit("awaited `verify`, Node", node["verify"]["ratio"], 1.12, times),
        Limit(
            "asyncio-portier, relative to portier-client",
            asyncio["asyncio_portier"]["to_verify"],
            4,
            times,
            True,
        ),
        Limit(
            "npm `portier`, relative to portier-client",
            node["portier"]["to_verify"],
            8,
            times,
            True,
        ),
        Limit(
            "Node's `crypto.verify`, relative to portier-client",
            node["node_crypto"]["to_verify"],
            1,
            times,
            True,
        ),
        Limit("`authenticate`, Python", asyncio["authenticate"]["microseconds"], 2, micro),
        Limit("`authenticate`, Node", node["authenticate"]["microseconds"], 2, micro),
        *report_modes.limits(results),
        callback("asyncio", asyncio),
        callback("Node", node),
        *(
            Limit(
                f"reading a session cookie, {name}", host["session_read"]["microseconds"], 2, micro
            )
            for name, host in (("Python", asyncio), ("Node", node))
        ),
        growth("verify"),
        growth("authenticate"),
        Limit("memory of a pending login", rust["bytes_per_pending_login"], 234, size),
        Limit(
            "a login with SQLite by hand, relative to portier-client, one by one",
            results["stores"]["sqlite"]["sequential"]["by_hand_to_portier_client"],
            1.1,
            times,
            True,
        ),
        *(site(name, figures) for name, figures in results["sites"]["pairs"].items()),
        *cold("python", "Python"),
        *cold("node", "Node"),
        added("python", "Python"),
        added("node", "Node"),
        Limit("`import`", results["import"]["on_top_milliseconds"], 15, milli),
        Limit("`require`", node["require_milliseconds"]["on_top"], 15, milli),
        Limit("wheel", wheel["packed"] if wheel else None, 6e6, mega),
        Limit("addon", node["package_bytes"]["addon"], 6e6, mega),
    ]


def to_ryjwt(figures: dict[str, Any]) -> list[Limit]:
    """The time of `verify` relative to that of ryjwt, which not every interpreter can run."""
    if "ryjwt" not in figures:
        return []
    ratio = 1 / figures["ryjwt"]["to_verify"]
    return [Limit("awaited `verify`, asyncio, relative to ryjwt", ratio, 1, times)]


def site(name: str, figures: dict[str, Any]) -> Limit:
    """The logins per second of an example, relative to the site beside it."""
    pair = PAIRS[name]
    title = f"logins per second, {pair.title}, relative to {pair.package}"
    return Limit(title, figures["ratio"], 1.3, times, True)
