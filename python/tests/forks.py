"""Forks of this process, made by Python, or by C code that Python does not know of."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import traceback
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Fork = Callable[[], int]

# Long enough on a busy machine, and short enough to detect a child that hangs.
LIMIT = 60

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

FORKS: dict[str, Fork] = {}
if hasattr(os, "fork"):
    FORKS = {
        "by Python": os.fork,
        # Like a server that is written in C, such as uWSGI.
        "by C": ctypes.PyDLL(None).fork,
        "by C without the lock of the interpreter": ctypes.CDLL(None).fork,
    }

every_fork = pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS.keys())


def start_child(work: Callable[[], object], fork: Fork | None = None) -> int:
    """Runs a function in a forked child, and returns its process id."""
    child = (fork or os.fork)()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert child > 0
    return child


def join(child: int) -> int:
    """The exit status of a child; kills it if it does not end."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(child)
        ended, _, _ = select.select([descriptor], [], [], LIMIT)
        os.close(descriptor)
        if not ended:
            os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(work: Callable[[], object], fork: Fork | None = None) -> int:
    """Runs a function in a forked child and returns its exit status."""
    return join(start_child(work, fork))
