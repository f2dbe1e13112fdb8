"""Takes system calls away from this process: they fail, or they kill it."""

from __future__ import annotations

import ctypes
import platform
import struct
from typing import ClassVar

KILL = 0x8000_0000
NUMBERS = {
    "x86_64": {"clone": 56, "fork": 57, "vfork": 58, "clone3": 435, "socket": 41, "connect": 42},
    "aarch64": {"clone": 220, "clone3": 435, "socket": 198, "connect": 203},
}.get(platform.machine(), {})
THREADS = ("clone", "clone3", "fork", "vfork")
NETWORK = ("socket", "connect")


def fail_with(error: int) -> int:
    """The action that makes a system call fail with this error."""
    return 0x0005_0000 | error


def refuse(names: tuple[str, ...], action: int) -> None:
    """Sets this action for system calls of these names, until the process ends."""
    # The program loads the number of the system call, and returns the action if a name matches.
    program = [(0x20, 0, 0, 0)]
    for number in (NUMBERS[name] for name in names if name in NUMBERS):
        program += [(0x15, 0, 1, number), (0x06, 0, 0, action)]
    program.append((0x06, 0, 0, 0x7FFF_0000))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = _Program(len(program), ctypes.addressof(code))
    # PR_SET_NO_NEW_PRIVS, then PR_SET_SECCOMP.
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(arguments), 0, 0):
        raise OSError(ctypes.get_errno(), "no system call can be refused here")


class _Program(ctypes.Structure):
    _fields_: ClassVar = [("length", ctypes.c_ushort), ("lines", ctypes.c_void_p)]
