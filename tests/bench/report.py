"""Writes docs/benchmarks.md and its plots from the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import report_modes
from bars import Bar, plot
from limits import PHASES, limits
from pairs import PAIRS
from tables import count, mega, milli, percent, table, times

PAGE = Path(__file__).with_name("page.md")

RUST_PEERS = {"jsonwebtoken": "jsonwebtoken 12, no nonce"}
PYTHON_PEERS = {
    "asyncio_portier": "asyncio-portier's `get_verified_email`",
    "ryjwt": "ryjwt, no nonce",
    "pyjwt": "PyJWT, no nonce",
    "joserfc": "joserfc, no nonce",
    "authlib": "authlib, no nonce",
    "cryptography": "cryptography, signature only",
}
NODE_PEERS = {
    "portier": "npm `portier`",
    "jose": "jose, no nonce",
    "jsonwebtoken": "jsonwebtoken, no nonce",
    "aws_jwt_verify": "aws-jwt-verify, no nonce",
    "fast_jwt": "fast-jwt, no nonce",
    "node_crypto": "`crypto.verify`, signature only",
}
WAYS = {"sequential": "one by one", "in_flight": "100 in flight"}


def write(results: dict[str, Any], docs: Path) -> list[Path]:
    """Writes the page and its plots; returns the path."""
    plots = {
        "verify-python.svg": verification(results["asyncio"], "awaited verify", PYTHON_PEERS),
        "verify-node.svg": verification(results["node"], "awaited verify", NODE_PEERS),
        "growth.svg": growth_plot(results),
        "stores.svg": logins(results["stores"]),
        "sites.svg": sites_plot(results["sites"]["pairs"]),
    }
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name, text in plots.items():
        (folder / name).write_text(text, encoding="utf-8")
    page = docs / "benchmarks.md"
    page.write_text(markdown(results), encoding="utf-8")
    return [page, *(folder / name for name in plots)]


def markdown(results: dict[str, Any]) -> str:
    """The page."""
    machine, node, wheel = results["machine"], results["node"], results["wheel_bytes"]
    return PAGE.read_text(encoding="utf-8").format(
        machine=f"{machine['processor']}, {machine['processors']} processors, {machine['system']}",
        versions=f"{machine['rust']}, Python {machine['python']}, Node {node['node'].lstrip('v')}",
        date=machine["date"],
        minutes=f"{results['minutes']:.0f}",
        rounds=results["asyncio"]["rounds"],
        logins=results["asyncio"]["logins_per_round"],
        bars=table(("", "measured", "target", ""), [limit.row() for limit in limits(results)]),
        instructions=instructions(results["instructions"]),
        rust=peers_table(results["rust"]["pending"]["usual"], RUST_PEERS),
        ryjwt=ryjwt(results["asyncio"]),
        python=peers_table(results["asyncio"], PYTHON_PEERS),
        node=peers_table(node, NODE_PEERS),
        authenticate=authenticate_table(results),
        flows=flows_table(results),
        modes=report_modes.modes_table(results),
        flight=flight_table(results["flight"]),
        threads=threads_table(results),
        growth=growth_table(results),
        cold=cold_table(results["cold"]),
        heartbeat=heartbeat_table(results["heartbeat"]),
        stores=stores_table(results["stores"]),
        sites=sites_table(results["sites"]["pairs"]),
        site_rounds=results["sites"]["rounds"],
        site_logins=results["sites"]["logins"],
        unpacked=mega(wheel["unpacked"]) if wheel else "not measured",
        package=mega(node["package_bytes"]["packed"]),
        memory=memory_table(results),
    )


def instructions(counts: dict[str, int] | None) -> str:
    """The work of Rust besides the signature."""
    if counts is None:
        return "Instructions were not counted: valgrind is missing."
    return (
        f"In Rust, `verify` executes {counts['verify']:,} instructions in addition to AWS-LC's "
        f"verification, and `authenticate` {counts['authenticate']:,} (counted by valgrind). "
        + report_modes.instructions(counts)
    )


def verification(figures: dict[str, Any], ours: str, peers: dict[str, str]) -> str:
    """The cost of verifying one token, for each package."""
    names = {"bare": "bare AWS-LC", "verify": f"portier-client, {ours}", **peers}
    bars = [
        Bar(plain(title), figures[name]["microseconds"], name == "verify")
        for name, title in names.items()
        if name in figures
    ]
    return plot("µs for one token", sorted(bars, key=lambda bar: bar.value))


def ryjwt(figures: dict[str, Any]) -> str:
    """Why a package may be missing."""
    if "ryjwt" in figures:
        return "ryjwt also uses AWS-LC."
    return "ryjwt, which also uses AWS-LC, has no wheels for this version of CPython."


def peers_table(figures: dict[str, Any], peers: dict[str, str]) -> str:
    """The time of each package for one token, beside ours."""
    names = {"bare": "bare AWS-LC", "verify": "**portier-client**, awaited `verify`", **peers}
    names = {name: title for name, title in names.items() if name in figures}
    ordered = sorted(names, key=lambda name: float(figures[name]["microseconds"]))
    rows = []
    for name in ordered:
        figure = figures[name]
        ratios = (times(figure["ratio"]), times(figure["to_verify"]))
        rows.append((names[name], f"{figure['microseconds']:.1f}", *ratios))
    return table(("", "µs", "× AWS-LC", "× portier-client"), rows)


def authenticate_table(results: dict[str, Any]) -> str:
    """The cost of starting a login."""
    usual, asyncio, node = results["rust"]["pending"]["usual"], results["asyncio"], results["node"]
    rows = [
        ("Rust", usual["authenticate"]),
        ("awaited, asyncio", asyncio["authenticate"]),
        ("Python by hand: `uuid4`, a dictionary, `urlencode`", asyncio["authenticate_by_hand"]),
        ("awaited, Node", node["authenticate"]),
        ("npm `portier`", node["portier_authenticate"]),
    ]
    return table(("", "µs"), [(title, f"{figure['microseconds']:.1f}") for title, figure in rows])


def flows_table(results: dict[str, Any]) -> str:
    """The cost of a login in each flow, and of a session."""
    rows = []
    for name, title, requests, to_broker in (
        ("callback_code", "code flow", "2", "1"),
        ("implicit", "implicit flow", "3", "0"),
        ("session_read", "session cookie, for each request of somebody who is signed in", "", "0"),
    ):
        cells = []
        for host in ("asyncio", "uvloop", "node"):
            figures = results[host]
            names = ("callback", "callback_posted_again") if name == "implicit" else (name,)
            cells.append(f"{sum(figures[one]['microseconds'] for one in names):.1f}")
        rows.append((title, requests, to_broker, *cells))
    hosts = ("callback, asyncio, µs", "uvloop, µs", "Node, µs")
    return table(("", "requests to the site", "to the broker", *hosts), rows)


def flight_table(flight: dict[str, Any]) -> str:
    """Many concurrent logins in one event loop."""
    rows = []
    for language, title in (("python", "Python"), ("node", "Node")):
        for store, figures in flight[language]["in_flight"].items():
            for limit, figure in figures.items():
                halves = (f"{figure['authenticate']:.1f}", f"{figure['verify']:.1f}")
                rows.append((f"{title}, {store}", str(limit), *halves, percent(figure["held"])))
    return table(("", "in flight", "`authenticate`, µs", "`verify`, µs", "loop held"), rows)


def threads_table(results: dict[str, Any]) -> str:
    """Logins per second of threads and workers."""
    measured = {
        "Rust, threads that share a client": results["rust"]["threads"],
        "Python, threads that share a client": results["flight"]["python"]["threads"],
        "Node, workers with a client each": results["flight"]["node"]["threads"],
    }
    rows = [
        (title, *(f"{rates[number]:,.0f}" for number in ("1", "2", "4")))
        for title, rates in measured.items()
    ]
    return table(("`verify` per second", "1", "2", "4"), rows)


def growth_table(results: dict[str, Any]) -> str:
    """Both halves of a login while others are pending."""
    rust, node, rows = results["rust"]["pending"], results["growth"], []
    for pending in sorted((name for name in rust if name != "usual"), key=int):
        cells = [rust[pending][half]["microseconds"] for half in ("authenticate", "verify")]
        for name in ("ours", "theirs"):
            figure = node.get(pending, {}).get(name)
            cells += [figure and figure[half] for half in ("authenticate", "verify")]
        written = [f"{cell:.1f}" if cell else "took too long" for cell in cells]
        rows.append((count(int(pending)), *written))
    head = ("pending", *(f"{half}, {of}" for of in ("Rust", "Node", "npm `portier`")
                         for half in ("`authenticate`", "`verify`")))  # fmt: skip
    return table(head, rows)


def growth_plot(results: dict[str, Any]) -> str:
    """The cost of `verify` in Node while others are pending, ours and theirs."""
    bars = []
    for pending, figures in results["growth"].items():
        if not pending.isdigit():
            continue
        for name, title in (("ours", "portier-client"), ("theirs", "npm portier")):
            if name in figures:
                with_pending = f"{title}, {count(int(pending))} pending"
                bars.append(Bar(with_pending, figures[name]["verify"], name == "ours"))
    return plot("µs for one verify in Node", bars)


def cold_table(cold: dict[str, Any]) -> str:
    """Logins without the broker's documents in the cache."""
    rows = []
    for title, write in COLD.items():
        rows.append((title, *(write(cold[language]) for language in ("python", "node"))))
    return table(("", "Python", "Node"), rows)


def heartbeat_table(hearts: dict[str, Any]) -> str:
    """The longest time that the loop was blocked, in each phase."""
    rows = []
    for title, language in (("Python", "python"), ("Node", "node")):
        gaps = hearts[language]["worst_gap_milliseconds"]
        for phase, name in PHASES.items():
            clocks = [gaps[phase][clock] for clock in ("wall", "processor")]
            figures = [milli(clock[which]) for clock in clocks for which in ("median", "worst")]
            rows.append((f"{title}, {name}", *figures))
    head = ("", "median of the rounds", "worst", "of the processor, median", "worst")
    return table(head, rows)


COLD = {
    "first login of a process": lambda figures: milli(figures["first_login_seconds"] * 1000),
    "many logins at once": lambda figures: count(figures["crowd"]),
    "all of them": lambda figures: milli(figures["crowd_seconds"] * 1000),
    "requests to the broker": lambda figures: count(figures["crowd_requests"]),
    "longest time that the loop is blocked": lambda figures: milli(
        figures["worst_gap_seconds"] * 1000
    ),
}


def store_figures(stores: dict[str, Any]) -> list[tuple[str, Any]]:
    """The measured stores by name."""
    return [
        ("Redis, Python", stores["redis"]),
        ("Redis, Node", stores["node"]),
        ("SQLite, Python", stores["sqlite"]),
    ]


def logins(stores: dict[str, Any]) -> str:
    """The cost of a whole login with each store."""
    bars = []
    for title, figures in store_figures(stores):
        for way, name in WAYS.items():
            bars.append(Bar(f"{title}, {name}", figures[way]["portier_client"], True))
            bars.append(Bar("the same by hand", figures[way]["by_hand"], False))
    return plot("µs for one login", bars)


def stores_table(stores: dict[str, Any]) -> str:
    """The cost of a login with each store, and written by hand."""
    rows = []
    for title, figures in store_figures(stores):
        for way, name in WAYS.items():
            figure = figures[way]
            both = (f"{figure['portier_client']:.0f}", f"{figure['by_hand']:.0f}")
            rows.append((f"{title}, {name}", *both, times(figure["by_hand_to_portier_client"])))
    return table(("", "µs", "by hand, µs", "by hand × portier-client"), rows)


def sites_plot(pairs: dict[str, Any]) -> str:
    """How many logins per second the examples complete, for each of the other site."""
    bars = [
        Bar(plain(f"{PAIRS[name].title} / {PAIRS[name].package}"), figures["ratio"], True)
        for name, figures in pairs.items()
    ]
    return plot("logins per second, relative to the other package", bars)


def sites_table(pairs: dict[str, Any]) -> str:
    """Logins per second of each example, and of the site beside it."""
    rows = []
    for name, figures in pairs.items():
        pair, processor = PAIRS[name], figures["processor_milliseconds"]
        rows.append(
            (
                pair.title,
                pair.flow,
                pair.package,
                count(figures["ours"]),
                count(figures["theirs"]),
                f"**{times(figures['ratio'])}**",
                f"{times(figures['least'])} to {times(figures['most'])}",
                f"{processor['ours']:.2f}",
                f"{processor['theirs']:.2f}",
            )
        )
    rates = ("logins per second", "the other", "ratio", "in the rounds")
    return table(("example", "flow", "other package", *rates, "CPU ms", "the other"), rows)


def memory_table(results: dict[str, Any]) -> str:
    """The memory of a process before the import, and after a login."""
    rows = [
        (title, *(mega(results["cold"][language][name]) for name in ("bare_bytes", "added_bytes")))
        for title, language in (("Python", "python"), ("Node", "node"))
    ]
    return table(("resident memory", "without the package", "with a login, more"), rows)


def plain(markdown: str) -> str:
    """A text without Markdown."""
    return markdown.replace("`", "")
