"""Passes events of the core to :mod:`logging`.

The native module calls ``emit``, in the thread of the call or in its own logging thread.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("portier_client")
# Without this handler, `logging` would print warnings if the program has not configured it.
LOGGER.addHandler(logging.NullHandler())


def emit(level: int, event: str, fields: dict[str, object]) -> None:
    """Log an event, with its name and fields as text and as attributes of the record."""
    if LOGGER.isEnabledFor(level):
        # The text without values is the same for all events with one name: trackers group by it.
        text = " ".join([event, *(f"{name}=%({name})s" for name in fields)])
        extra = {"event": event, "fields": fields}
        if fields:
            LOGGER.log(level, text, fields, extra=extra)
        else:
            LOGGER.log(level, text, extra=extra)
        # A lost login is worth a message even if the program has not configured logging.
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
