"""Ports on this machine that no other program gets."""

from __future__ import annotations

import contextlib
import socket
import sys


class Port:
    """A port that stays reserved for a test while programs on it start and stop.

    If the system allows it, a socket that is bound but does not listen holds the port: a program
    that sets `SO_REUSEADDR`, as servers do, may still listen there.
    """

    def __init__(self) -> None:
        self._sockets = [_bound(socket.AF_INET, "127.0.0.1", 0)]
        self.number: int = self._sockets[0].getsockname()[1]
        # The machine may have no IPv6.
        with contextlib.suppress(OSError):
            self._sockets.append(_bound(socket.AF_INET6, "::1", self.number))
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        """Release the port."""
        for held in self._sockets:
            held.close()


def _bound(family: socket.AddressFamily, host: str, number: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, number))
    except OSError:
        made.close()
        raise
    return made
