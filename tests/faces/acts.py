"""The behaviour of hooks, as commands for the programs of the sites."""

from __future__ import annotations

from typing import Any


def as_act(hook: str | list[Any] | dict[str, str]) -> dict[str, Any]:
    """The behaviour of a hook, as a command for the program."""
    if isinstance(hook, dict):
        return {"does": "refuse", "code": hook["refuses"]}
    if hook == "throws":
        return {"does": "throw"}
    status, text = hook
    return {"does": "answer", "status": status, "text": text}
