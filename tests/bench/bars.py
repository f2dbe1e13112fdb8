"""Bar charts as SVG, readable on light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 760
LABELS = 300
ROW = 24
TOP = 30
SPACE_FOR_NUMBERS = 70


class Bar(NamedTuple):
    """One measured value."""

    title: str
    value: float
    is_ours: bool


def plot(unit: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars from zero, with their numbers beside them."""
    scale = (WIDTH - LABELS - SPACE_FOR_NUMBERS) / max(bar.value for bar in bars)
    height = TOP + ROW * len(bars) + 8
    rows = [row(bar, TOP + ROW * number, scale) for number, bar in enumerate(bars)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" font-family="sans-serif" '
            'font-size="13" fill="#777">',
            f"<title>{escape(unit)}</title>",
            f'<text x="{LABELS}" y="18">{escape(unit)}</text>',
            *rows,
            "</svg>\n",
        ]
    )


def row(bar: Bar, y: int, scale: float) -> str:
    """One bar with its title."""
    length = bar.value * scale
    color = "#2a7ab9" if bar.is_ours else "#9aa5ad"
    number = f"{bar.value:.0f}" if bar.value >= 100 else f"{bar.value:.1f}"
    return (
        f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(bar.title)}</text>'
        f'<rect x="{LABELS}" y="{y + 2}" width="{length:.1f}" height="{ROW - 6}" fill="{color}"/>'
        f'<text x="{LABELS + length + 6:.1f}" y="{y + 15}">{number}</text>'
    )
