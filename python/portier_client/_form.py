"""The types that are accepted as the form of a callback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Form = Mapping[str, object] | Mapping[bytes, object] | Iterable[tuple[str | bytes, object]]
"""A mapping, an object that keeps repeated fields, or pairs of name and value."""
