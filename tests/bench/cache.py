"""A cache for asyncio-portier."""

from __future__ import annotations

from typing import Any


class Cache:
    """The fastest cache that asyncio-portier accepts."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values: dict[Any, Any] = dict(values)

    def get(self, name: str | bytes) -> Any:
        return self._values.get(name)

    def set(self, name: str | bytes, value: object, ex: object = None) -> bool:
        self._values[name] = value
        return True

    def delete(self, *names: str | bytes) -> int:
        return sum(self._values.pop(name, None) is not None for name in names)
