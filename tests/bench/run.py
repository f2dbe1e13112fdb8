"""Measures what a login costs, against the bare verification of its signature in the same run.

Prints a table and writes `target/bench/results.json`. `make bench` builds what it measures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
IMPORT_ROUNDS = 21


def main() -> int:
    """Runs every measurement in a process of its own, one after the other."""
    results: dict[str, Any] = {
        "machine": {
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
        },
        "rust": rust(),
        "asyncio": python("asyncio"),
        "uvloop": python("uvloop"),
        "node": node(),
        "stores": stores(),
        "import_milliseconds": import_time(),
        "wheel_octets": wheel_size(),
    }
    show(results)
    path = ROOT / "target" / "bench" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten: {path.relative_to(ROOT)}")
    return 0


def rust() -> dict[str, Any]:
    """Logins in Rust, with an empty store and with many pending; see `core/benches/login.rs`."""
    say("Rust")
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--quiet", "--locked", "-p", "portier-client"]
    return measured([*command, "--features", "testing", "--bench", "login"])


def python(loop: str) -> dict[str, Any]:
    """Logins from Python, awaited in an event loop; see `login.py`."""
    say(f"Python, {loop}")
    return measured([sys.executable, str(HERE / "login.py"), loop])


def node() -> dict[str, Any]:
    """Logins from Node, next to Node's own crypto; see `login.mjs`."""
    say("Node")
    return measured([os.environ.get("NODE", "node"), str(HERE / "login.mjs")])


def stores() -> dict[str, Any]:
    """Logins through SQLite and Redis, next to the same by hand; see `stores.py`."""
    say("stores")
    return measured([sys.executable, str(HERE / "stores.py")])


def import_time() -> dict[str, float]:
    """The time of a process that imports the package, less that of one that does not."""
    say("import")
    rounds = [
        (process_time("pass"), process_time("import portier_client")) for _ in range(IMPORT_ROUNDS)
    ]
    return {
        "bare_interpreter": median([bare for bare, _ in rounds]),
        "on_top": median([full - bare for bare, full in rounds]),
    }


def process_time(code: str) -> float:
    """Milliseconds from the start of an interpreter to its end."""
    timer = "import subprocess, sys, time; start = time.perf_counter(); "
    timer += "subprocess.run([sys.executable, '-I', '-c', sys.argv[1]], check=True); "
    timer += "print((time.perf_counter() - start) * 1000)"
    return float(output([sys.executable, "-c", timer, code]))


def wheel_size() -> dict[str, int]:
    """The size of the release wheel, packed and unpacked."""
    say("wheel")
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "maturin", "build", "--release", "--out", folder]
        subprocess.run(build, cwd=ROOT / "python", check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        return {"packed": wheel.stat().st_size, "unpacked": unpacked}


def measured(command: list[str]) -> dict[str, Any]:
    """What a command printed as JSON in its last line."""
    results: dict[str, Any] = json.loads(output(command).splitlines()[-1])
    return results


def output(command: list[str]) -> str:
    """What a command printed."""
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def median(values: list[float]) -> float:
    """The one in the middle."""
    return sorted(values)[len(values) // 2]


def say(text: str) -> None:
    """Shows what is going on."""
    print(f"==> Measuring: {text}", file=sys.stderr, flush=True)


def show(results: dict[str, Any]) -> None:
    """Prints all figures."""
    print(f"\n{'median of one call':<34}{'µs':>8}{'× bare':>9}")
    rust = results["rust"]
    for title, figures in (
        ("Rust", rust["empty_store"]),
        (f"Rust, {rust['pending']:,} logins pending", rust["full_store"]),
        ("Python, asyncio", results["asyncio"]),
        ("Python, uvloop", results["uvloop"]),
        (f"Node {results['node']['node']}", results["node"]),
    ):
        print(title)
        for name in ("bare", "verify", "authenticate", "node_crypto"):
            if name not in figures:
                continue
            figure = figures[name]
            print(f"  {name:<32}{figure['microseconds']:>8.2f}{figure['ratio']:>9.3f}")
    show_stores(results["stores"])
    octets = rust["octets_per_pending_login"]
    if octets is not None:
        print(f"\nmemory of a pending login: {octets:.0f} octets")
    times = results["import_milliseconds"]
    print(
        f"import: {times['on_top']:.1f} ms on top of the interpreter's "
        f"{times['bare_interpreter']:.1f} ms"
    )
    times = results["node"]["require_milliseconds"]
    print(f"require: {times['on_top']:.1f} ms on top of Node's {times['bare_node']:.1f} ms")
    wheel = results["wheel_octets"]
    print(f"wheel: {wheel['packed'] / 1e6:.2f} MB, unpacked {wheel['unpacked'] / 1e6:.2f} MB")
    package = results["node"]["package_octets"]
    packed, unpacked = package["packed"] / 1e6, package["unpacked"] / 1e6
    print(f"npm package: {packed:.2f} MB, unpacked {unpacked:.2f} MB")


def show_stores(results: dict[str, Any]) -> None:
    """Prints what whole logins cost, and how many times as much they cost by hand."""
    print(f"\n{'median of one login':<34}{'µs':>8}{'by hand':>9}{'ratio':>9}")
    for title, figures in (
        ("Python, Redis", results["redis"]),
        ("Python, SQLite", results["sqlite"]),
        ("Node, Redis", results["node"]),
    ):
        print(title)
        for way, name in (("sequential", "one by one"), ("in_flight", "100 in flight")):
            figure = figures[way]
            ours, theirs = figure["portier_client"], figure["by_hand"]
            ratio = figure["by_hand_to_portier_client"]
            print(f"  {name:<32}{ours:>8.1f}{theirs:>9.1f}{ratio:>9.2f}")


if __name__ == "__main__":
    sys.exit(main())
