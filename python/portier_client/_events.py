"""Hands what happens in the core to :mod:`logging`.

The native module calls it, in the thread of a call or in one of its own.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("portier_client")
# Warnings are for the program to show, or not.
LOGGER.addHandler(logging.NullHandler())


def emit(level: int, event: str, fields: dict[str, object]) -> None:
    """Log an event: its name and its fields as text, and both for programs."""
    if LOGGER.isEnabledFor(level):
        # Before it is formatted, the text is the same for all events of a kind.
        text = " ".join([event, *(f"{name}=%({name})s" for name in fields)])
        extra = {"event": event, "fields": fields}
        if fields:
            LOGGER.log(level, text, fields, extra=extra)
        else:
            LOGGER.log(level, text, extra=extra)
        # Logins get lost that nobody would hear of where logging is not configured.
        if event == "login not in memory store" and not _is_handled() and logging.lastResort:
            record = LOGGER.makeRecord(LOGGER.name, level, __file__, 0, text, (fields,), None)
            logging.lastResort.handle(record)


def _is_handled() -> bool:
    """Whether the program has a handler for the events."""
    logger: logging.Logger | None = LOGGER
    while logger is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
