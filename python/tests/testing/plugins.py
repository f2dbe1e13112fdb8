"""Plugins of pytest that are installed for this suite, and that projects of tests do not need."""

from __future__ import annotations

_PLUGINS = ("anyio", "cacheprovider", "faker", "hypothesispytest", "time_machine")

WITHOUT = [f"-pno:{name}" for name in _PLUGINS]
"""Options of pytest. Loading these plugins takes longer than most tests."""
