"""Programs that end during calls.

`EXITS=10000` ends more of them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker

EXITS = int(os.environ.get("EXITS", "500"))
# A test ends at most this number of programs, so that it stays within its time limit.
EXITS_IN_A_ROUND = 500
AT_A_TIME = 4

PRELUDE = """
import asyncio, atexit, os, signal, sys, threading, time, warnings
last = []
atexit.register(lambda: [call() for call in last])
from portier_client import Client, blocking

async def start(client, calls=100):
    tasks = [asyncio.ensure_future(client.warm()) for _ in range(calls)]
    await asyncio.sleep(0)
    return tasks

def silence(loop):
    # Python's own messages about a loop that is still open.
    warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False

origin, store = sys.argv[1:]
"""

# Each program ends with pending calls, at another moment.
ENDS = {
    "loop-left-behind": """
loop = asyncio.new_event_loop()
loop.run_until_complete(start(Client("https://example.com/", broker=origin)))
silence(loop)
""",
    "loop-closed": """
loop = asyncio.new_event_loop()
tasks = loop.run_until_complete(start(Client("https://example.com/", broker=origin)))
silence(loop)
loop.close()
del tasks
""",
    "cancelled-by-run": """
async def main():
    await start(Client("https://example.com/", broker=origin))
asyncio.run(main())
""",
    "sys-exit": """
async def main():
    await start(Client("https://example.com/", broker=origin))
    sys.exit(0)
asyncio.run(main())
""",
    "sys-exit-in-a-handler": """
async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, sys.exit, 0)
    await start(Client("https://example.com/", broker=origin))
    os.kill(os.getpid(), signal.SIGTERM)
    await loop.create_future()
asyncio.run(main())
""",
    "os-exit": """
async def main():
    await start(Client("https://example.com/", broker=origin))
    os._exit(0)
asyncio.run(main())
""",
    "uncaught-exception": """
sys.excepthook = lambda *_: None
async def main():
    await start(Client("https://example.com/", broker=origin))
    raise LookupError
asyncio.run(main())
""",
    "killed": """
async def main():
    await start(Client("https://example.com/", broker=origin))
    os.kill(os.getpid(), signal.SIGTERM)
asyncio.run(main())
""",
    "store-under-way": """
class Stuck:
    async def put(self, nonce, record, ttl):
        await asyncio.sleep(3600)
    async def take(self, nonce):
        pass
async def begin():
    client = Client("https://example.com/", broker=origin, store=Stuck())
    tasks = [asyncio.ensure_future(client.authenticate(None)) for _ in range(100)]
    await asyncio.wait(tasks, timeout=0.02)
    return tasks
asyncio.run(begin())
loop = asyncio.new_event_loop()
loop.run_until_complete(begin())
silence(loop)
""",
    "sqlite-under-way": """
async def main():
    client = Client("https://example.com/", broker=origin, store=store)
    tasks = [asyncio.ensure_future(client.authenticate(None)) for _ in range(100)]
    await asyncio.wait(tasks, timeout=0.02)
asyncio.run(main())
""",
    "broker-under-way": """
from portier_client.testing import DevBroker
broker = DevBroker()
async def main():
    await start(Client("https://example.com/", broker=broker.origin))
    await start(Client("https://example.com/", broker=origin))
asyncio.run(main())
""",
    "daemon-thread": """
def call():
    try:
        blocking.Client("https://example.com/", broker=origin).warm()
    except Exception:
        pass
threading.Thread(target=call, daemon=True).start()
""",
    # The threads return to Python during finalization.
    "daemon-threads-and-a-slow-end": """
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.12)
slow = Slow()
def call():
    try:
        blocking.Client("https://example.com/", broker=origin).warm()
    except Exception:
        pass
for _ in range(4):
    threading.Thread(target=call, daemon=True).start()
""",
    "daemon-loop": """
started = threading.Event()
async def main():
    tasks = await start(Client("https://example.com/", broker=origin))
    started.set()
    await asyncio.wait(tasks)
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
started.wait()
""",
    # Functions that are registered later run earlier: the threads end when the module's function
    # runs.
    "calls-at-exit": """
client = blocking.Client("https://example.com/", broker="http://127.0.0.1:9")
def call(expected):
    try:
        client.warm()
    except Exception as error:
        if not str(error).startswith(expected):
            print(repr(error))
    else:
        print("no error, but not:", expected)
last.append(lambda: call("the interpreter is shutting down"))
atexit.register(call, "no connection to the broker")
loop = asyncio.new_event_loop()
loop.run_until_complete(start(Client("https://example.com/", broker=origin)))
silence(loop)
""",
    # The thread that ends the interpreter must not wait for itself.
    "first-call-at-exit": """
def call():
    try:
        blocking.Client("https://example.com/", broker=origin).warm()
    except RuntimeError as error:
        if str(error) != "the interpreter is shutting down":
            print(repr(error))
    else:
        print("no error")
last.append(call)
""",
    # The child does not touch the calls of its parent, and ends its own.
    "child": """
warnings.simplefilter("ignore")
loop = asyncio.new_event_loop()
client = Client("https://example.com/", broker=origin)
loop.run_until_complete(start(client))
silence(loop)
child = os.fork()
if child == 0:
    other = asyncio.new_event_loop()
    other.run_until_complete(start(client))
    silence(other)
    sys.exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
}

STATUS = {"killed": -signal.SIGTERM, "uncaught-exception": 1}
NEEDS_UNIX = {"child", "killed", "sys-exit-in-a-handler"}


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """The origin of a broker that never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("round_", range(-(-EXITS // EXITS_IN_A_ROUND)))
@pytest.mark.parametrize("end", ENDS)
def test_programs_end_silently_with_pending_calls(
    end: str, round_: int, broker: DevBroker, silent: str, tmp_path: Path
) -> None:
    if end in NEEDS_UNIX and sys.platform == "win32":
        pytest.skip("Windows has neither forks nor signals for one process")
    tmp_path.chmod(0o700)

    def run(number: int) -> tuple[int, bytes, bytes]:
        # Answers may come at once, or after the end.
        origin = broker.origin if number % 2 else silent
        store = f"sqlite:///{tmp_path}/{round_}-{number}.db"
        program = [sys.executable, "-W", "error", "-c", PRELUDE + ENDS[end], origin, store]
        done = subprocess.run(program, capture_output=True, timeout=50, check=False)
        return done.returncode, done.stdout, done.stderr

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = list(pool.map(run, range(-(-min(EXITS, EXITS_IN_A_ROUND) // len(ENDS)))))
    assert outcomes == [(STATUS.get(end, 0), b"", b"")] * len(outcomes)


FETCHED = b"document fetched document=discovery unchanged=False lifetime_seconds=86400 failures=0"

LOGS = """
import asyncio, logging, sys, time
from portier_client import Client
class Slow(logging.Handler):
    def emit(self, record):
        time.sleep(0.05)
        print(record.getMessage())
logging.getLogger("portier_client").addHandler(Slow())
logging.getLogger("portier_client").setLevel(logging.DEBUG)
async def main():
    client = Client("https://example.com/", broker=sys.argv[1], store="sqlite:///" + sys.argv[2])
    calls = [asyncio.ensure_future(client.authenticate(None)) for _ in range(20)]
    await asyncio.wait(calls, timeout=0.1)
    sys.exit(0)
asyncio.run(main())
"""


# Its finalization is slow, so that a handler that still runs would return during finalization. The
# module is imported before `logging`, so that its exit handler runs after that of `logging`, which
# waits for log handlers.
SLOW = """
from portier_client import Client
import asyncio, logging, sys, time
class SlowEnd:
    def __del__(self, sleep=time.sleep):
        sleep(1)
sys.slow_end = SlowEnd()
class Slow(logging.Handler):
    def emit(self, record):
        time.sleep(0.4)
logging.getLogger("portier_client").addHandler(Slow())
logging.getLogger("portier_client").setLevel(logging.DEBUG)
async def main():
    client = Client("https://example.com/", broker=sys.argv[1], store="sqlite:///" + sys.argv[2])
    await asyncio.gather(*(client.authenticate(None) for _ in range(COUNT)))
asyncio.run(main())
"""


# Its answers come from threads that are about to end.
ASKS = """
import asyncio, logging, sys, threading
from portier_client import Client
asked = threading.Event()
async def ask():
    call = asyncio.ensure_future(Client("https://example.com/", broker=sys.argv[1]).warm())
    await asyncio.sleep(0)
    asked.set()
    await call
class Asks(logging.Handler):
    def emit(self, record):
        print("asked")
        try:
            asyncio.run(ask())
        finally:
            print("answered")
logging.getLogger("portier_client").addHandler(Asks())
logging.getLogger("portier_client").setLevel(logging.DEBUG)
async def main():
    client = Client("https://example.com/", broker=sys.argv[1], store="sqlite:///" + sys.argv[2])
    await asyncio.gather(*(client.authenticate(None) for _ in range(20)))
asyncio.run(main())
asked.wait()
"""


def ends(programs: list[str], tmp_path: Path, broker: DevBroker) -> list[bytes]:
    """The output of programs that run at the same time."""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-W", "error", "-c", program),
                *(broker.origin, str(tmp_path / f"{number}.db")),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for number, program in enumerate(programs)
    ]
    try:
        outputs = [process.communicate(timeout=50)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * len(programs), outputs
    return outputs


def test_programs_end_cleanly_while_events_are_logged(tmp_path: Path, broker: DevBroker) -> None:
    # All events until then are logged, and no line is cut off.
    for output in ends([LOGS] * 8, tmp_path, broker):
        assert set(output.splitlines()) <= {b"login started", FETCHED}, output


def test_exit_waits_for_a_slow_log_handler(tmp_path: Path, broker: DevBroker) -> None:
    # Some events are waiting, or the maximum number.
    programs = [SLOW.replace("COUNT", str(count)) for count in (300, 1_100)]
    assert ends(programs, tmp_path, broker) == [b"", b""]


def test_a_log_handler_that_waits_at_exit_gets_its_answer(
    tmp_path: Path, broker: DevBroker
) -> None:
    for output in ends([ASKS] * 4, tmp_path, broker):
        lines = output.splitlines()
        # Later calls get an error because it is too late, and print nothing.
        assert lines == [b"asked", b"answered"] * (len(lines) // 2), output
        assert lines
