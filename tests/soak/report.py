"""The result of a soak in one language: figures, files, and findings."""

from __future__ import annotations

import csv
import json
import math
import subprocess
from collections import Counter
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

from faults import Fault
from figures import MOST_KIB_PER_1000_LOGINS, WARM_UP, after_warm_up, band, growth
from judge import BUSY, judge
from plot import svg
from soak import BANDS, out_of_band

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from figures import Slope
    from process import Sample, Subject

# The number of unexpected results that are shown in full.
MOST_SHOWN = 5
# Seconds in which a process must end by itself.
EXIT = 60


def report(
    subject: Subject,
    faults: Sequence[Fault],
    settings: Mapping[str, Any],
    target: Path,
    *,
    strict: bool,
) -> dict[str, Any]:
    """Ends the subject, writes its table and its chart, and prints its result.

    Without `strict`, memory and time limits are not judged.
    """
    seconds = settings["seconds"]
    failures = out_of_band(subject, settings["calm"])
    failures += ended_badly(subject)
    late = [Fault(BUSY, *span) for span in subject.late]
    if not strict:
        late.append(Fault(BUSY, 0, math.inf))
    excused, strange = judged(subject, [*faults, *late], settings)
    failures += [f"no fault excuses {json.dumps(odd)}" for odd in strange[:MOST_SHOWN]]
    if len(strange) > MOST_SHOWN:
        failures.append(f"nor {len(strange) - MOST_SHOWN} others")
    failures += never_as_meant(subject)
    samples = [sample for sample in subject.samples if sample.seconds <= seconds]
    slope = growth(samples, lambda sample: sample.resident_kib)
    if strict and slope.low > MOST_KIB_PER_1000_LOGINS:
        failures.append(f"memory grows by {slope.low:.1f} KiB per 1,000 logins at least")
    warm = [sample.resident_kib for sample in after_warm_up(samples)]
    tenth = max(1, len(warm) // 10)
    figures = {
        "logins": subject.logins,
        "counts": dict(sorted(subject.counts.items())),
        "excused": dict(sorted(excused.items())),
        "seconds_late": round(sum(ended - begun for begun, ended in subject.late), 1),
        "kib_per_1000_logins": rounded(slope),
        "most_kib_per_1000_logins": MOST_KIB_PER_1000_LOGINS,
        "resident_kib": {
            "first": samples[0].resident_kib,
            "after_warm_up": median(warm[:tenth]),
            "last": median(warm[-tenth:]),
        },
        "own_per_1000_logins": own_growth(samples),
    }
    for what in BANDS:
        low, high = band(samples, settings["calm"], what)
        most = max(getattr(sample, what) for sample in samples)
        last = getattr(subject.samples[-1], what)
        figures[what] = {"calm": [low, high], "most": most, "last": last}
    write(subject, faults, target, seconds)
    show(subject.language, figures, failures)
    return {**figures, "failures": failures}


def own_growth(samples: Sequence[Sample]) -> dict[str, Any]:
    """The growth of a heap after the warm-up, as the process reports it."""
    return {
        name: rounded(growth(samples, lambda sample, name=name: sample.own.get(name, 0)))
        for name in samples[-1].own
    }


def rounded(slope: Slope) -> dict[str, float | None]:
    """Replaces numbers that JSON cannot represent."""
    return {
        name: round(value, 1) if math.isfinite(value) else None
        for name, value in asdict(slope).items()
    }


def judged(
    subject: Subject, faults: Sequence[Fault], settings: Mapping[str, Any]
) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Unexpected results by code and fault, and those without an excuse."""
    excused: Counter[str] = Counter()
    strange = []
    for odd in subject.odd:
        fault = judge(odd, faults, settings["session_ttl"], settings["timeout"])
        if fault:
            excused[f"{odd['code']} ({fault})"] += 1
        else:
            strange.append(odd)
    return excused, strange


def ended_badly(subject: Subject) -> list[str]:
    failures = []
    if not subject.done.is_set():
        failures.append("the process ended before its time")
    try:
        status = subject.end(EXIT)
    except subprocess.TimeoutExpired:
        return [*failures, "the process does not end"]
    if status:
        failures.append(f"the process ended with status {status}")
    if subject.errors:
        failures.append(f"it wrote on its standard error: {subject.errors[:2000]}")
    return failures


def never_as_meant(subject: Subject) -> list[str]:
    """A kind of login that never succeeded was not tested, or never works."""
    kinds = {name.split(":")[0] for name in subject.counts}
    return [
        f"no login of this kind went as it was meant to: {kind}"
        for kind in sorted(kinds)
        if f"{kind}: as meant" not in subject.counts
    ]


def write(subject: Subject, faults: Sequence[Fault], target: Path, seconds: float) -> None:
    target.mkdir(parents=True, exist_ok=True)
    rows = [asdict(sample) for sample in subject.samples]
    own = list(rows[-1]["own"])
    with (target / f"{subject.language}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [name for name in rows[0] if name != "own"]
        writer.writerow(names + own)
        for row in rows:
            figures = [row["own"].get(name, "") for name in own]
            writer.writerow([row[name] for name in names] + figures)
    begun = subject.begun
    spans = [(fault.begun - begun, fault.ended - begun) for fault in faults if not fault.client]
    picture = svg(
        f"{subject.language}, {subject.logins:,} logins", subject.samples, spans, WARM_UP * seconds
    )
    (target / f"{subject.language}.svg").write_text(picture, encoding="utf-8")


def show(language: str, figures: Mapping[str, Any], failures: Sequence[str]) -> None:
    resident = figures["resident_kib"]
    print(f"\n{language}: {figures['logins']:,} logins")
    for name, count in figures["counts"].items():
        print(f"  {name:<32}{count:>9,}")
    print("  not as meant, by the code and the fault it belongs to:")
    for name, count in figures["excused"].items():
        print(f"    {name:<60}{count:>7,}")
    print(
        f"  resident memory {resident['first']:,} KiB, {resident['after_warm_up']:,.0f} after the "
        f"warm-up, {resident['last']:,.0f} at the end"
    )
    print(f"  growth per 1,000 logins, of at most {figures['most_kib_per_1000_logins']} KiB:")
    grown = {"resident KiB": figures["kib_per_1000_logins"], **figures["own_per_1000_logins"]}
    for name, slope in grown.items():
        print(f"    {name}: {slope['middle']} ({slope['low']} to {slope['high']})")
    for what in BANDS:
        seen = figures[what]
        low, high = seen["calm"]
        print(f"  {what} {low} to {high}, at most {seen['most']}, {seen['last']} at rest")
    for failure in failures:
        print(f"  FAILED: {failure}")
