"""Bar charts as SVG, readable on light and dark pages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "portier", "text.color": "#777"}


class Bar(NamedTuple):
    """One measured value."""

    title: str
    value: float
    is_ours: bool


def plot(unit: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars from zero, with the numbers beside them."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.6 + 0.27 * len(bars)), layout="constrained")
        axes = figure.add_subplot(frame_on=False, title=unit)
        drawn = axes.barh(
            range(len(bars)),
            [bar.value for bar in bars],
            color=["#2a7ab9" if bar.is_ours else "#9aa5ad" for bar in bars],
        )
        axes.bar_label(drawn, [f"{bar.value:.{int(bar.value < 100)}f}" for bar in bars], padding=4)
        axes.set_yticks(range(len(bars)), [bar.title for bar in bars])
        axes.tick_params(left=False, labelcolor="#777")
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Title": unit})
    return svg.getvalue()
