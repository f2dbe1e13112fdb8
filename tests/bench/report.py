"""Writes docs/benchmarks.md, and the plots in it, from the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bars import Bar, plot

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = Path(__file__).with_name("page.md")

PYTHON_PEERS = {
    "asyncio_portier": "asyncio-portier's `get_verified_email`",
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


def write(results: dict[str, Any]) -> list[Path]:
    """Writes the page and its plots; returns where."""
    plots = {
        "verify-python.svg": verification(results["asyncio"], "awaited verify", PYTHON_PEERS),
        "verify-node.svg": verification(results["node"], "awaited verify", NODE_PEERS),
        "stores.svg": logins(results["stores"]),
    }
    folder = DOCS / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name, text in plots.items():
        (folder / name).write_text(text, encoding="utf-8")
    page = DOCS / "benchmarks.md"
    page.write_text(markdown(results), encoding="utf-8")
    return [page, *(folder / name for name in plots)]


def verification(figures: dict[str, Any], ours: str, peers: dict[str, str]) -> str:
    """What the verification of one token costs, with whom."""
    names = {"bare": "bare AWS-LC", "verify": f"portier-client, {ours}", **peers}
    bars = [
        Bar(plain(title), figures[name]["microseconds"], name == "verify")
        for name, title in names.items()
    ]
    return plot("µs for one token", sorted(bars, key=lambda bar: bar.value))


def logins(stores: dict[str, Any]) -> str:
    """What a whole login costs through stores."""
    bars = []
    for title, figures in store_figures(stores):
        for way, name in WAYS.items():
            bars.append(Bar(f"{title}, {name}", figures[way]["portier_client"], True))
            bars.append(Bar("the same by hand", figures[way]["by_hand"], False))
    return plot("µs for one login", bars)


WAYS = {"sequential": "one by one", "in_flight": "100 in flight"}


def store_figures(stores: dict[str, Any]) -> list[tuple[str, Any]]:
    """The stores that were measured, by name."""
    return [
        ("Redis, Python", stores["redis"]),
        ("Redis, Node", stores["node"]),
        ("SQLite, Python", stores["sqlite"]),
    ]


def plain(markdown: str) -> str:
    """A text without marks."""
    return markdown.replace("`", "")


def markdown(results: dict[str, Any]) -> str:
    """The page."""
    machine = results["machine"]
    rust, node = results["rust"], results["node"]
    import_time, require_time = results["import_milliseconds"], node["require_milliseconds"]
    wheel, package = results["wheel_octets"], node["package_octets"]
    return PAGE.read_text(encoding="utf-8").format(
        machine=f"{machine['processor']}, {machine['processors']} processors, {machine['system']}",
        versions=f"{machine['rust']}, Python {machine['python']}, Node {node['node'].lstrip('v')}",
        date=machine["date"],
        rounds=results["asyncio"]["rounds"],
        logins=results["asyncio"]["logins_per_round"],
        bars=table(
            ("", "measured", "bar"),
            [
                ("`verify`, Rust, to bare AWS-LC", ratio(rust["empty_store"]["verify"]), "1.10"),
                ("awaited `verify`, asyncio", ratio(results["asyncio"]["verify"]), "1.25"),
                ("awaited `verify`, uvloop", ratio(results["uvloop"]["verify"]), "1.25"),
                ("awaited `verify`, Node", ratio(node["verify"]), "1.25"),
                (
                    "asyncio-portier, to awaited `verify`",
                    times(results["asyncio"]["asyncio_portier"]["to_verify"]),
                    "at least 4",
                ),
                (
                    "npm `portier`, to awaited `verify`",
                    times(node["portier"]["to_verify"]),
                    "at least 8",
                ),
                (
                    "`crypto.verify` of Node, to awaited `verify`",
                    times(node["node_crypto"]["to_verify"]),
                    "more than 1",
                ),
                ("`authenticate`, Python", micro(results["asyncio"]["authenticate"]), "5 µs"),
                ("`authenticate`, Node", micro(node["authenticate"]), "5 µs"),
                (
                    f"`verify` with {rust['pending']:,} logins pending, to none",
                    times(
                        rust["full_store"]["verify"]["microseconds"]
                        / rust["empty_store"]["verify"]["microseconds"]
                    ),
                    "1.2",
                ),
                ("memory of a pending login", octets(rust["octets_per_pending_login"]), "300 B"),
                ("`import`", f"{import_time['on_top']:.1f} ms", "15 ms"),
                ("`require`", f"{require_time['on_top']:.1f} ms", "15 ms"),
                ("wheel", mega(wheel["packed"]), "6 MB"),
                ("addon", mega(package["addon"]), "6 MB"),
            ],
        ),
        python=peers_table(results["asyncio"], PYTHON_PEERS),
        node=peers_table(node, NODE_PEERS),
        stores=stores_table(results["stores"]),
        unpacked=mega(wheel["unpacked"]),
        package=mega(package["packed"]),
    )


def peers_table(figures: dict[str, Any], peers: dict[str, str]) -> str:
    """What each takes for one token, beside ours."""
    names = {"bare": "bare AWS-LC", "verify": "**portier-client**, awaited `verify`", **peers}
    ordered = sorted(names, key=lambda name: float(figures[name]["microseconds"]))
    return table(
        ("", "µs", "× bare", "× ours"),
        [
            (
                names[name],
                f"{figures[name]['microseconds']:.1f}",
                ratio(figures[name]),
                times(figures[name]["to_verify"]),
            )
            for name in ordered
        ],
    )


def stores_table(stores: dict[str, Any]) -> str:
    """What a login takes through each store, and by hand."""
    rows = []
    for title, figures in store_figures(stores):
        for way, name in WAYS.items():
            figure = figures[way]
            rows.append(
                (
                    f"{title}, {name}",
                    f"{figure['portier_client']:.0f}",
                    f"{figure['by_hand']:.0f}",
                    times(figure["by_hand_to_portier_client"]),
                )
            )
    return table(("", "µs", "by hand, µs", "by hand × ours"), rows)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def ratio(figure: dict[str, float]) -> str:
    return times(figure["ratio"])


def times(value: float) -> str:
    return f"{value:.2f}"


def micro(figure: dict[str, float]) -> str:
    return f"{figure['microseconds']:.1f} µs"


def octets(value: float | None) -> str:
    return "not known here" if value is None else f"{value:.0f} B"


def mega(value: float) -> str:
    return f"{value / 1e6:.1f} MB"
