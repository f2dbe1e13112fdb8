"""Warns about a memory store in a site with several processes, where most logins would fail."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterator
    from types import FrameType

    from ._base import BaseClient

WHAT_TO_DO = (
    "a login that is started in one process cannot be completed in another; "
    "give the client a secret, or a store they share, such as "
    "store='sqlite:////var/lib/site/logins.db' or store='redis://…'"
)

# The clients that modules made while they were loaded, by file and site.
_loaded: dict[tuple[str, str, str], weakref.ref[BaseClient]] = {}


def doubt_of_memory_store(client: BaseClient) -> str | None:
    """Return a warning if this process looks like one of several, or loads the site twice."""
    if _is_parent_of_workers():
        return None
    reason = _evidence_of_others()
    if reason is not None:
        return f"pending logins are in the memory of this process, but {reason}: {WHAT_TO_DO}"
    if _is_loaded_twice(client):
        return (
            "pending logins are in the memory of one client, but this module made two clients for "
            f"the same site, perhaps because it was loaded twice: {WHAT_TO_DO}"
        )
    return None


def warn_of_forked_memory_store() -> None:
    """Warn that a client is used after a fork, unless there is only one worker."""
    if _known_workers() == 1:
        return
    warn(
        "pending logins are in the memory of one process, but the client was made in another one, "
        f"before a fork: {WHAT_TO_DO}"
    )


def _evidence_of_others() -> str | None:
    # The server's own number of workers takes precedence over the environment.
    workers = _known_workers()
    if workers is not None:
        return f"the server runs {workers} processes" if workers > 1 else None
    return _evidence_in_environment() or _evidence_of_parents()


def _evidence_in_environment() -> str | None:
    # Read by gunicorn and uvicorn, set by hosting platforms.
    concurrency = os.environ.get("WEB_CONCURRENCY", "").strip()
    if concurrency.isdecimal() and int(concurrency) > 1:
        return f"WEB_CONCURRENCY is {concurrency}"
    if "IN_PASSENGER" in os.environ:
        return "Passenger runs several processes unless its pool has one"
    return None


def _evidence_of_parents() -> str | None:
    tornado = sys.modules.get("tornado.process")
    if tornado is not None and tornado.task_id() is not None:
        return "Tornado forked it as one of several"
    billiard = sys.modules.get("billiard.process")
    if billiard is not None and billiard.current_process().name != "MainProcess":
        return "it is a worker of Celery"
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is None or multiprocessing.parent_process() is None:
        return None
    # Django runs tests in parallel, each in its own process.
    return None if "django.test.runner" in sys.modules else "multiprocessing started it"


def _known_workers() -> int | None:
    """The number of the server's processes, if it can be found out."""
    uwsgi, mod_wsgi = sys.modules.get("uwsgi"), sys.modules.get("mod_wsgi")
    counts = [
        getattr(uwsgi, "numproc", None),
        getattr(mod_wsgi, "maximum_processes", None),
        *map(_workers_in, _frames()),
    ]
    return max((count for count in counts if isinstance(count, int)), default=None)


def _workers_in(frame: FrameType) -> object:
    """The number of processes of the server that this frame belongs to."""
    names = frame.f_locals
    match frame.f_globals.get("__name__"):
        case "gunicorn.arbiter":
            return getattr(names.get("self"), "num_workers", None)
        case "uvicorn._subprocess":
            config = names.get("config")
            # A reloader starts one process, whatever the option says.
            return 1 if getattr(config, "reload", False) else getattr(config, "workers", None)
        case "hypercorn.asyncio.run" | "hypercorn.trio.run":
            return getattr(names.get("config"), "workers", None)
        case "granian.server.common":
            return getattr(names.get("self"), "workers", None)
        case "granian.server.mp":
            # Ids are counted from one. Without a fork, a worker knows nothing else.
            return names.get("worker_id")
    return None


def _is_parent_of_workers() -> bool:
    """Whether this process only starts the processes that serve the site."""
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is not None and hasattr(uwsgi, "masterpid"):
        return bool(uwsgi.masterpid() == os.getpid())
    functions = [
        frame.f_code.co_name
        for frame in _frames()
        if frame.f_globals.get("__name__") == "gunicorn.arbiter"
    ]
    return bool(functions) and "spawn_worker" not in functions


def _frames() -> Iterator[FrameType]:
    """The frames of this thread, and of the main thread, where servers run their workers."""
    frame: FrameType | None = sys._getframe(1)
    threading = sys.modules.get("threading")
    main = sys._current_frames().get(threading.main_thread().ident) if threading else None
    for start in (frame, main):
        frame = start
        while frame is not None:
            yield frame
            frame = frame.f_back


def _is_loaded_twice(client: BaseClient) -> bool:
    """Whether the same module has made a client of the same site before that is still in use."""
    from weakref import ref

    from ._base import _CLOSED

    file = _file_of_loading_module()
    if file is None:
        return False
    key = (file, client.redirect_uri, client.broker)
    before, _loaded[key] = _loaded.get(key), ref(client)
    other = before() if before is not None else None
    return other is not None and other._native is not _CLOSED


def _file_of_loading_module() -> str | None:
    """The file of the caller, if its module is being loaded; `None` in a function called later."""
    caller = sys._getframe(_depth_of_caller() - 1)
    frame: FrameType | None = caller
    while frame is not None and frame.f_code.co_filename == caller.f_code.co_filename:
        if frame.f_code.co_name == "<module>":
            # A prompt or a notebook has no file, and may make clients repeatedly.
            return frame.f_code.co_filename if "__file__" in frame.f_globals else None
        frame = frame.f_back
    return None


def warn(message: str) -> None:
    """Warn the caller of this package."""
    import warnings

    warnings.warn(message, RuntimeWarning, stacklevel=_depth_of_caller())


def _depth_of_caller() -> int:
    """The depth of the first frame outside of this package, counted from the caller."""
    depth = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
        depth += 1
    return depth


def _is_ours(module: str) -> bool:
    return module == "portier_client" or module.startswith("portier_client.")
