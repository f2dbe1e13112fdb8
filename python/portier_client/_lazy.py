"""Modules that only annotations use. They are imported when an annotation is evaluated.

Importing them at once would make ``import portier_client`` take several times as long.
"""

from __future__ import annotations

from importlib import import_module

__all__ = ["_form", "abc", "datetime", "portier_client", "rsa", "typing", "web"]


class _Module:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self._name), name)


_form = _Module("portier_client._form")
abc = _Module("collections.abc")
datetime = _Module("datetime")
portier_client = _Module("portier_client")
rsa = _Module("cryptography.hazmat.primitives.asymmetric.rsa")
typing = _Module("typing")
web = _Module("portier_client.web")
