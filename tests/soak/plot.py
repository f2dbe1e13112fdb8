"""Draws samples into an SVG: three charts, one below the other, with the same time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from process import Sample

WIDTH, HEIGHT = 960, 230
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 34, 40

STYLE = """text { font: 12px sans-serif; fill: #333 } .title { font-weight: bold; font-size: 13px }
.axis { stroke: #333 } .grid { stroke: #ddd } .line { stroke: #06c; fill: none; stroke-width: 1.3 }
.fault { fill: #e80; opacity: .25 } .warm-up { fill: #999; opacity: .15 }"""


def svg(
    title: str,
    samples: Sequence[Sample],
    spans: Sequence[tuple[float, float]],
    warm_up: float,
) -> str:
    """`spans` are the seconds with a fault."""
    times = [sample.seconds for sample in samples]
    charts = (
        ("resident memory in MiB", [sample.resident_kib / 1024 for sample in samples]),
        ("threads", [float(sample.threads) for sample in samples]),
        ("open descriptors", [float(sample.descriptors) for sample in samples]),
    )
    height = HEIGHT * len(charts)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">',
        f'<style>{STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, (unit, values) in enumerate(charts):
        heading = f"{title}: {unit}"
        if number == 0:
            heading += " (grey: warm-up; orange: a server is down, stalled, or has other keys)"
        parts.append(f'<g transform="translate(0 {number * HEIGHT})">')
        parts += chart(heading, times, values, spans, warm_up)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def chart(
    heading: str,
    times: Sequence[float],
    values: Sequence[float],
    spans: Sequence[tuple[float, float]],
    warm_up: float,
) -> list[str]:
    step_y = nice(max(values) / 4)
    top = step_y * (int(max(values) / step_y) + 1)
    end = max(times[-1], 1.0)
    step_x = nice(end / 8)
    floor = HEIGHT - BOTTOM

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds, 0.0), end) / end

    def y(value: float) -> float:
        return floor - (floor - TOP) * value / top

    parts = [f'<text class="title" x="{LEFT}" y="20">{heading}</text>']
    parts.append(box("warm-up", x(0), x(warm_up), floor))
    # A rotation of keys takes no time; it is drawn as a thin line.
    parts += [box("fault", x(begun), max(x(ended), x(begun) + 1), floor) for begun, ended in spans]
    for number in range(int(top / step_y) + 1):
        value = number * step_y
        parts.append(line("grid", LEFT, y(value), WIDTH - RIGHT, y(value)))
        parts.append(
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for number in range(int(end / step_x) + 1):
        at = x(number * step_x)
        parts.append(line("axis", at, floor, at, floor + 4))
        parts.append(text(at, floor + 18, "middle", f"{number * step_x:g}"))
    parts.append(text(WIDTH - RIGHT, floor + 33, "end", "seconds"))
    parts.append(line("axis", LEFT, floor, WIDTH - RIGHT, floor))
    parts.append(line("axis", LEFT, TOP, LEFT, floor))
    points = " ".join(
        f"{x(at):.1f},{y(value):.1f}" for at, value in zip(times, values, strict=True)
    )
    parts.append(f'<polyline class="line" points="{points}"/>')
    return parts


def box(name: str, left: float, right: float, floor: float) -> str:
    size = f'width="{right - left:.1f}" height="{floor - TOP:.1f}"'
    return f'<rect class="{name}" x="{left:.1f}" y="{TOP}" {size}/>'


def line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x: float, y: float, anchor: str, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def nice(step: float) -> float:
    """The next number of 1, 2, 5, 10, 20, 50 and so on."""
    size = 1.0
    while True:
        for factor in (1, 2, 5):
            if factor * size >= step:
                return factor * size
        size *= 10
