"""Builds the fuzz targets, runs them from the vectors on, and reports the result of each.

    run.py --seconds 600                every target for ten minutes, going on where it was
    run.py --runs 5000                  the same few inputs every time, for the suites
    run.py --runs 5000 --at-once 2      two targets at a time
    run.py --seconds 60 verify token    these targets only
    run.py --build                      builds them

An input that breaks a promise is in `target/fuzz/found`; run the program of its target with its
path.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "target/fuzz"
TARGETS = sorted(path.stem for path in (HERE / "src/bin").glob("*.rs"))
SLOWEST = 60
"""The time limit of an input, in seconds. No input takes a second on an idle machine."""


def main() -> int:
    """Returns 1 if a target found something."""
    options = arguments()
    if lacks := what_is_missing():
        print(f"\n    NOT FUZZED: {lacks}\n", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    build()
    if options.build:
        return 0
    row = "{:<14} {:>10} {:>6} {:>9} {:>7}".format
    print(row("target", "inputs", "edges", "features", "corpus"))
    found = 0
    targets = options.targets or TARGETS
    with ThreadPoolExecutor(options.at_once) as threads:
        results = threads.map(fuzz, targets, [options] * len(targets))
        for target, (log, status) in zip(targets, results, strict=True):
            print(row(target, *figures(log)), flush=True)
            if status:
                found = 1
                print(log[-6000:])
                print(f"{target} found something: {FOLDER.relative_to(ROOT)}/found/{target}")
                print("mend it, and add a vector of it (see CONTRIBUTING.md)")
    return found


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    amount = parser.add_mutually_exclusive_group(required=True)
    amount.add_argument("--seconds", type=int)
    amount.add_argument("--runs", type=int)
    amount.add_argument("--build", action="store_true")
    parser.add_argument("--at-once", type=int, default=1, metavar="TARGETS")
    return parser.parse_args()


def what_is_missing() -> str | None:
    """The tools that libFuzzer needs and this machine lacks."""
    if sys.platform not in {"linux", "darwin"}:
        return f"libFuzzer does not run on {sys.platform} with this toolchain"
    compiler = os.environ.get("CXX", "c++")
    if not shutil.which(compiler.split()[0]):
        return f"libFuzzer needs a C++ compiler, and there is no {compiler}: install g++ or clang"
    return None


def build() -> None:
    """Compiles the targets, and writes their first inputs."""
    build = [os.environ.get("CARGO", "cargo"), "build", "--locked", "--quiet"]
    instrumented = {**os.environ, "RUSTC_WORKSPACE_WRAPPER": str(HERE / "instrument.sh")}
    packages = ["-p", "portier-client-fuzz", "-p", "portier-client-features"]
    command = [*build, *packages, "--bins", "--features", "portier-client-fuzz/libfuzzer"]
    subprocess.run(command, cwd=ROOT, env=instrumented, check=True)
    # With the features of the Rust suites, whose dependencies are compiled already.
    subprocess.run([*build, "--example", "seeds"], cwd=ROOT, check=True)
    seeds = ROOT / "target/debug/examples/seeds"
    subprocess.run([seeds, str(FOLDER / "seeds")], cwd=ROOT, check=True)


def fuzz(target: str, options: argparse.Namespace) -> tuple[str, int]:
    """Runs one target; returns its report, and whether it found something."""
    found = FOLDER / "found" / target
    found.mkdir(parents=True, exist_ok=True)
    command = [
        str(ROOT / "target/debug" / target),
        f"-dict={HERE / 'words.dict'}",
        f"-artifact_prefix={found}/",
        f"-timeout={SLOWEST}",
        "-print_final_stats=1",
    ]
    with tempfile.TemporaryDirectory() as forgotten:
        if options.runs is None:
            corpus = FOLDER / "corpus" / target
            corpus.mkdir(parents=True, exist_ok=True)
            command += [f"-max_total_time={options.seconds}", str(corpus)]
        else:
            command += [f"-runs={options.runs}", "-seed=1", forgotten]
        command.append(str(FOLDER / "seeds" / target))
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, check=False)
    return done.stderr.decode("utf-8", "replace"), done.returncode


def figures(log: str) -> list[str]:
    """Inputs tried, edges and features of the code reached, and inputs worth keeping."""
    patterns = [
        r"stat::number_of_executed_units: +(\d+)",
        r"cov: (\d+)",
        r"ft: (\d+)",
        r"corp: (\d+)",
    ]
    return [(re.findall(pattern, log) or ["?"])[-1] for pattern in patterns]


if __name__ == "__main__":
    sys.exit(main())
