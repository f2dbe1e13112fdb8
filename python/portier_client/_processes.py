"""Notices a memory store in a site of several processes, where most logins would fail."""

from __future__ import annotations

import os
import sys

WHAT_TO_DO = (
    "a login that is started in one process cannot be completed in another; "
    "give the client a store they share, such as store='sqlite:////var/lib/site/logins.db' or store='redis://…'"
)


def warn_of_memory_store() -> None:
    """Warn if this process looks like one of several that serve a site."""
    sign = _sign_of_others()
    if sign is not None:
        _warn(f"pending logins are in the memory of this process, but {sign}: {WHAT_TO_DO}")


def warn_of_forked_memory_store() -> None:
    """Warn that a client was made before a fork and is used after it."""
    _warn(
        "pending logins are in the memory of one process, but the client was made in another one, "
        f"which this one was forked from: {WHAT_TO_DO}"
    )


def _sign_of_others() -> str | None:
    # Read by gunicorn and uvicorn, set by hosting platforms.
    concurrency = os.environ.get("WEB_CONCURRENCY", "").strip()
    if concurrency.isdecimal() and int(concurrency) > 1:
        return f"WEB_CONCURRENCY is {concurrency}"
    process = sys.modules.get("tornado.process")
    if process is not None and process.task_id() is not None:
        return "Tornado forked it as one of several"
    return None


def _warn(message: str) -> None:
    import warnings

    warnings.warn(message, RuntimeWarning, stacklevel=_depth_of_caller())


def _depth_of_caller() -> int:
    """How far up the stack the first line is that is not of this package."""
    depth = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        depth += 1
    return depth


def _is_ours(module: str) -> bool:
    return module == "portier_client" or module.startswith("portier_client.")
