"""Measures what a login costs, against the bare verification of its signature in the same run.

Writes `docs/benchmarks.md` and `target/bench/results.json`. `make bench` builds what it measures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import report

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
IMPORT_ROUNDS = 21


def main() -> int:
    """Runs every measurement in a process of its own, one after the other."""
    results: dict[str, Any] = {
        "machine": machine(),
        "rust": rust(),
        "asyncio": python("asyncio"),
        "uvloop": python("uvloop"),
        "node": node(),
        "stores": stores(),
        "import_milliseconds": import_time(),
        "wheel_octets": wheel_size(),
    }
    path = ROOT / "target" / "bench" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for written in (path, *report.write(results)):
        print(f"written: {written.relative_to(ROOT)}")
    return 0


def machine() -> dict[str, Any]:
    """Where and when this was measured."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "rust": output([os.environ.get("RUSTC", "rustc"), "--version"]).rsplit(" (", 1)[0],
        "date": datetime.now(tz=UTC).strftime("%B %Y"),
    }


def processor() -> str:
    """What the processor calls itself."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


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


if __name__ == "__main__":
    sys.exit(main())
