"""Draws samples into an SVG: three charts, one below the other, with the same time axis."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from process import Sample


def svg(
    title: str,
    samples: Sequence[Sample],
    spans: Sequence[tuple[float, float]],
    warm_up: float,
) -> str:
    """`spans` are the seconds with a fault."""
    times = [sample.seconds for sample in samples]
    end = max(times[-1], 1.0)
    charts = {
        "resident memory in MiB": [sample.resident_kib / 1024 for sample in samples],
        "threads": [sample.threads for sample in samples],
        "open descriptors": [sample.descriptors for sample in samples],
    }
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    legend = "grey: warm-up; orange: a server is down, stalled, or has other keys"
    figure.suptitle(f"{title} ({legend})")
    for number, (unit, values) in enumerate(charts.items(), start=1):
        axes = figure.add_subplot(len(charts), 1, number, title=unit, xlim=(0, end))
        axes.plot(times, values)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", alpha=0.3)
        axes.axvspan(0, warm_up, color="#999", alpha=0.15)
        for begun, ended in spans:
            # A change of keys has no duration, but must be visible.
            until = min(max(ended, begun + end / 800), end)
            axes.axvspan(begun, until, color="#e80", alpha=0.25)
    figure.supxlabel("seconds")
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(text, format="svg")
    return text.getvalue()
