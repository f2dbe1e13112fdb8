"""Measures the cost of a login, against the bare verification of its signature in the same run.

Writes `docs/benchmarks.md` and `target/bench/results.json`; `make bench` builds what it measures.
`--once` runs every measurement once, in debug builds, and discards the figures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import report
from servers import redis_server

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NODE = os.environ.get("NODE", "node")
ONCE = sys.argv[1:] == ["--once"]
# The smallest values that the measurements accept.
LEAST = {"ROUNDS": "1", "LOGINS": "4", "PENDING": "1000", "CROWD": "20"}
IMPORT_ROUNDS = 1 if ONCE else 21


def main() -> int:
    """Runs each measurement in its own process; two of them at once with `--once`."""
    if ONCE:
        os.environ.update(LEAST)
    begun = time.perf_counter()
    with redis_server() as socket, ThreadPoolExecutor(2 if ONCE else 1) as processes:
        run = processes.submit
        running: dict[str, Any] = {
            # First what is no time: if it fails, little is lost.
            "machine": run(machine),
            "wheel_bytes": run(wheel_size),
            "instructions": run(instructions),
            "rust": run(rust),
            "asyncio": run(python, "login.py", "asyncio"),
            "uvloop": run(python, "login.py", "uvloop"),
            "node": run(node, "login.mjs"),
            "growth": run(node, "growth.mjs"),
            "flight": {
                "python": run(python, "flight.py"),
                "node": run(node, "flight.mjs", *([str(socket)] if socket else [])),
            },
            "cold": {"python": run(python, "cold.py"), "node": run(node, "cold.mjs")},
            "heartbeat": {
                "python": run(python, "heartbeat.py", "asyncio"),
                "node": run(node, "heartbeat.mjs"),
            },
            "telemetry": {
                "python": run(python, "telemetry.py"),
                "node": run(node, "telemetry.mjs"),
            },
            "stores": run(python, "stores.py"),
            "sites": run(python, "sites.py"),
            "import": run(import_cost),
        }
        try:
            results = finished(running)
        except BaseException:
            processes.shutdown(cancel_futures=True)
            raise
    results["minutes"] = (time.perf_counter() - begun) / 60
    if ONCE:
        with tempfile.TemporaryDirectory() as folder:
            report.write(results, Path(folder))
        return 0
    path = ROOT / "target" / "bench" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for written in (path, *report.write(results, ROOT / "docs")):
        print(f"written: {written.relative_to(ROOT)}")
    return 0


def finished(running: dict[str, Any]) -> dict[str, Any]:
    """The results of the measurements, once they have all ended."""
    return {
        name: finished(each) if isinstance(each, dict) else each.result()
        for name, each in running.items()
    }


def machine() -> dict[str, Any]:
    """The machine and the date of the measurement."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "rust": output([os.environ.get("RUSTC", "rustc"), "--version"]).rsplit(" (", 1)[0],
        "date": datetime.now(tz=UTC).strftime("%B %Y"),
    }


def processor() -> str:
    """The name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def rust() -> dict[str, Any]:
    """Logins in Rust, without and with many pending ones; see `core/benches/login.rs`."""
    say("Rust")
    cargo = os.environ.get("CARGO", "cargo")
    profile = "dev" if ONCE else "bench"
    command = [cargo, "bench", "--quiet", "--locked", "--profile", profile, "--bench", "login"]
    return measured(command)


def python(program: str, *arguments: str) -> dict[str, Any]:
    """The results of a program in Python."""
    say(" ".join([program, *arguments]))
    return measured([sys.executable, str(HERE / program), *arguments])


def node(program: str, *arguments: str) -> dict[str, Any]:
    """The results of a program in Node."""
    say(program)
    return measured([NODE, str(HERE / program), *arguments])


def instructions() -> dict[str, int] | None:
    """The work of a login in Rust besides its signature, if it can be counted on this machine."""
    if ONCE:
        return None
    say("instructions")
    environment = {**os.environ, "CI": ""}
    command = [sys.executable, str(HERE / "instructions.py"), "--release"]
    lines = output(command, environment).splitlines()
    counts: dict[str, int] | None = json.loads(lines[-1]) if lines else None
    return counts


def import_cost() -> dict[str, float]:
    """The cost of importing the package: a process with the import, minus one without."""
    say("import")
    rounds = [
        (process_time("pass"), process_time("import portier_client")) for _ in range(IMPORT_ROUNDS)
    ]
    return {
        "bare_milliseconds": median([bare for bare, _ in rounds]),
        "on_top_milliseconds": median([full - bare for bare, full in rounds]),
    }


def process_time(code: str) -> float:
    """Milliseconds from the start of an interpreter to its end."""
    timer = "import subprocess, sys, time; start = time.perf_counter(); "
    timer += "subprocess.run([sys.executable, '-I', '-c', sys.argv[1]], check=True); "
    timer += "print((time.perf_counter() - start) * 1000)"
    return float(output([sys.executable, "-c", timer, code]))


def wheel_size() -> dict[str, int] | None:
    """The size of the release wheel, packed and unpacked."""
    if ONCE:
        return None
    say("wheel")
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "maturin", "build", "--release", "--locked"]
        build += ["--features", "packages", "--out", folder]
        subprocess.run(build, cwd=ROOT, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        return {"packed": wheel.stat().st_size, "unpacked": unpacked}


def measured(command: list[str]) -> dict[str, Any]:
    """The JSON in the last line of a command's output."""
    results: dict[str, Any] = json.loads(output(command).splitlines()[-1])
    return results


def output(command: list[str], environment: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    """The output of a command."""
    ran = subprocess.run(
        command, cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return ran.stdout


def median(values: list[float]) -> float:
    """The median."""
    return sorted(values)[len(values) // 2]


def say(text: str) -> None:
    """Prints the progress."""
    print(f"==> Measuring: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
