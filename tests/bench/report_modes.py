"""What the page of benchmarks says of sealed logins beside those in memory; see `modes.py`."""

from __future__ import annotations

from typing import Any

from tables import Limit, micro, size, table

FLOWS = {"implicit": "implicit flow", "code": "code flow"}
MODES = ("memory", "sealed")
HALVES = ("authenticate", "complete")
HOSTS = {"rust": "Rust", "asyncio": "asyncio", "node": "Node"}


def limits(results: dict[str, Any]) -> list[Limit]:
    """What a sealed login may cost: more time, in the flow where it is most, and memory."""
    return [
        Limit(
            "memory of a sealed login that was started",
            results["rust"]["bytes_per_sealed_login"],
            1,
            size,
        ),
        *(
            Limit(
                f"`{half}` of a sealed login, more than in memory, {title}",
                max(results[host]["modes"][f"{flow}_{half}"]["more"] for flow in FLOWS),
                1,
                micro,
            )
            for host, title in HOSTS.items()
            for half in HALVES
        ),
    ]


def modes_table(results: dict[str, Any]) -> str:
    """The cost of a login that is bound to a browser, in memory and sealed."""
    rows = []
    for host, title in HOSTS.items():
        for half in HALVES:
            figures = [results[host]["modes"][f"{flow}_{half}"] for flow in FLOWS]
            cells = (f"{figure[mode]:.1f}" for figure in figures for mode in MODES)
            rows.append((f"`{half}`, {title}", *cells))
    head = (f"{flow}, {mode}, µs" for flow in FLOWS.values() for mode in MODES)
    return table(("", *head), rows)


def instructions(counts: dict[str, int]) -> str:
    """The work of logins that are bound to a browser."""
    numbers = [
        f"{counts[f'memory_{flow}_{half}']:,} and {counts[f'sealed_{flow}_{half}']:,} "
        f"(`{half}`, {title})"
        for flow, title in FLOWS.items()
        for half in HALVES
    ]
    return f"A login that is bound to a browser, in memory and sealed: {', '.join(numbers)}."
