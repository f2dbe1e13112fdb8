"""Tables in Markdown, and the formatting of numbers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


class Limit(NamedTuple):
    """A target for a measured value."""

    title: str
    value: float | None
    limit: float
    write: Callable[[float], str]
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self) -> tuple[str, ...]:
        measured = "not known here" if self.value is None else self.write(self.value)
        way = "at least" if self.at_least else "at most"
        target = f"{way} {self.write(self.limit)}"
        return (self.title, measured, target, "met" if self.is_met else "**not met**")


def times(value: float) -> str:
    return f"{value:.2f}"


def micro(value: float) -> str:
    return f"{value:.1f} µs"


def milli(value: float) -> str:
    return f"{value:.1f} ms"


def size(value: float) -> str:
    return f"{value:.0f} B"


def mega(value: float) -> str:
    return f"{value / 1e6:.1f} MB"


def count(value: float) -> str:
    return f"{value:,.0f}"


def percent(value: float) -> str:
    return f"{value * 100:.0f} %"
