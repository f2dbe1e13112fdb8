"""Logs in for a long time, from Python and Node, while the broker and Redis fail.

    run.py [--language python|node|both] [--minutes 15] [--rate 200] [--short]

Writes `results.json`, and a table and a chart for each language, into `target/soak`. Fails if a
login has an unexpected result without a fault that excuses it, if memory grows, or if threads or
descriptors stay above their level. `--short` does the same in seconds, without judging memory and
time limits.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

from environment import Environment
from faults import Trouble
from judge import CLASSES
from process import Subject
from report import report
from soak import PATIENCE, soak

TARGET = Path(__file__).resolve().parents[2] / "target" / "soak"
SHORT_SECONDS = 15
SHORT_RATE = 100
# The share of failed requests for documents, in the long and in the short run.
SHARE_OF_FAULTS = (0.01, 0.1)
# Seconds between two faults.
BETWEEN = (12.0, 0.4)
# Seconds for which a server is down or stopped.
DOWN = ((0.5, 3.0), (0.2, 0.6))
# The lifetime of an abandoned login, and the timeout of a fetch, in seconds.
SESSION_TTL = 20
TIMEOUT = 3


def main() -> int:
    if shutil.which("redis-server") is None and os.environ.get("CI") != "true":
        print("left out: there is no redis-server here; see `make redis`")
        return 0
    arguments = parse()
    short = arguments.short
    seconds = SHORT_SECONDS if short else arguments.minutes * 60
    target = TARGET / "short" if short else TARGET
    calm = 3 if short else seconds / 10
    languages = ["python", "node"] if arguments.language == "both" else [arguments.language]
    with Environment(SHARE_OF_FAULTS[short]) as environment:
        settings = {
            "broker": environment.origin,
            "mint_port": environment.mint_port,
            "rate": SHORT_RATE if short else arguments.rate,
            "seconds": seconds,
            "calm": calm,
            "session_ttl": SESSION_TTL,
            "timeout": TIMEOUT,
            "seed": arguments.seed,
            "classes": CLASSES,
            "leak": arguments.leak,
        }
        subjects = [
            Subject(language, {**settings, "redis": environment.redis_url(language)})
            for language in languages
        ]
        try:
            for subject in subjects:
                if not subject.ready.wait(PATIENCE):
                    raise TimeoutError(f"{subject.language} is not ready: {subject.errors}")
            trouble = Trouble(environment, arguments.seed, DOWN[short])
            soak(subjects, trouble, seconds, calm, BETWEEN[short])
            faults = trouble.faults()
            reports = {
                subject.language: report(subject, faults, settings, target, strict=not short)
                for subject in subjects
            }
        finally:
            for subject in subjects:
                subject.kill()
    results = {
        "seconds": seconds,
        "seed": arguments.seed,
        "faults": dict(Counter(fault.kind for fault in faults)),
        **reports,
    }
    (target / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"written: {target.relative_to(TARGET.parents[1])}")
    return 1 if any(report["failures"] for report in reports.values()) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=["python", "node", "both"], default="both")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=200, help="logins per second and language")
    parser.add_argument("--short", action="store_true", help="some seconds instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leak", type=int, default=0, help="bytes to lose with every login")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
