"""Signals during a call."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

DISCOVERY = "/.well-known/openid-configuration"

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no signals for one process"
)

PRELUDE = """
import asyncio, signal, socket, sys
from portier_client import Client, blocking

origin = sys.argv[1]
client = Client("https://example.com/verify", broker=origin)
twin = blocking.Client("https://example.com/verify", broker=origin)
"""

# A program, the signal that it gets, and its output before it ends.
PROGRAMS = {
    "ctrl-c-ends-a-blocking-call": (
        """
try:
    twin.warm()
except KeyboardInterrupt:
    print("interrupted")
""",
        signal.SIGINT,
        "interrupted\n",
    ),
    "ctrl-c-ends-an-event-loop": (
        """
async def main():
    try:
        await asyncio.gather(*(client.warm() for _ in range(20)))
    except asyncio.CancelledError:
        print("cancelled")
        raise
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
""",
        signal.SIGINT,
        "cancelled\ninterrupted\n",
    ),
    "a-handler-that-raises-ends-a-blocking-call": (
        """
def give_up(*_):
    raise LookupError("the handler's own")
signal.signal(signal.SIGALRM, give_up)
try:
    twin.warm()
except LookupError as error:
    print(error)
""",
        signal.SIGALRM,
        "the handler's own\n",
    ),
    "a-handler-that-returns-lets-a-blocking-call-go-on": (
        """
signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
twin.warm()
print("warm")
""",
        signal.SIGUSR1,
        "handled\nwarm\n",
    ),
    "a-wakeup-descriptor-is-written-to-meanwhile": (
        """
here, there = socket.socketpair()
there.setblocking(False)
signal.set_wakeup_fd(there.fileno())
def handle(*_):
    print(here.recv(1) == bytes([signal.SIGUSR1]), flush=True)
signal.signal(signal.SIGUSR1, handle)
twin.warm()
signal.set_wakeup_fd(-1)
print("warm")
""",
        signal.SIGUSR1,
        "True\nwarm\n",
    ),
    "sigterm-ends-a-server-that-finishes-first": (
        """
async def main():
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    calls = [asyncio.ensure_future(client.warm()) for _ in range(20)]
    await over.wait()
    print("asked to end", flush=True)
    await asyncio.gather(*calls)
    print("warm")
asyncio.run(main())
""",
        signal.SIGTERM,
        "asked to end\nwarm\n",
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_signal_is_handled_while_a_call_waits(program: str, broker: DevBroker) -> None:
    code, sent, said = PROGRAMS[program]
    first, *rest = said.splitlines(keepends=True)
    broker.hold(DISCOVERY)
    known = broker.requests().get(DISCOVERY, 0)
    command = [sys.executable, "-c", PRELUDE + code, broker.origin]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while broker.requests().get(DISCOVERY, 0) == known:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(sent)
        # The broker answers only after the signal.
        assert process.stdout.readline() == first
        broker.release(DISCOVERY)
        assert process.stdout.read() == "".join(rest)
        assert process.stderr.read() == ""
        assert process.wait(30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no file tells what a thread blocks")
def test_threads_of_the_library_receive_no_signals(broker: DevBroker) -> None:
    code = f"""{PRELUDE}
import logging, time
from pathlib import Path

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
twin.warm()


def masks():
    masks = []
    for task in Path("/proc/self/task").iterdir():
        status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        masks.append((status["Name"].strip(), int(status["SigBlk"], 16)))
    return [(name, mask) for name, mask in masks if name.startswith("portier-")]


def is_right(mask):
    # The handlers that report crashes still run.
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
    return all(mask & 1 << n - 1 for n in stopping) and not mask & 1 << signal.SIGSEGV - 1


# A thread that starts has the name of the one that starts it, and blocks every signal at first.
deadline = time.monotonic() + 30
expected = {{"portier-complet", "portier-client"}}
found = masks()
while not (expected <= {{name for name, _ in found}} and all(is_right(mask) for _, mask in found)):
    assert time.monotonic() < deadline, found
    time.sleep(0.01)
    found = masks()
"""
    subprocess.run([sys.executable, "-c", code, broker.origin], check=True, timeout=60)
