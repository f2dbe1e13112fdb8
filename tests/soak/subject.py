"""Logs in at a steady rate from asyncio, and reports the results. The twin of `subject.mjs`.

    subject.py SETTINGS

It prints lines of JSON: `{"ready": true}`; counts every second; `odd` with every unexpected result
(the driver judges whether a fault excuses it); `late` when the machine was too busy; and `{"done":
…}`. The process ends with its standard input.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import random
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from portier_client import Client, PortierError

if TYPE_CHECKING:
    from collections.abc import Awaitable

REDIRECT_URI = "https://example.com/verify"
# No call takes longer, also on a busy machine. If one does, it hangs.
PATIENCE = 300
MOST_AT_ONCE = 300
# Seconds between two reads of the clock, and the delay that is reported.
TURN = 0.02
LATE = 0.1
# The number of reports between two full garbage collections.
COLLECT_EVERY = 10
WRONG = {
    "malformed": "token_malformed",
    "issuer": "token_issuer",
    "audience": "token_audience",
    "expired": "token_expired",
    "stranger": "token_key_unknown",
    "signature": "token_signature",
    "nonce": "session_unknown",
    "address": "session_email",
}
# Per thousand logins.
KINDS = {
    "plain": 790,
    "fresh": 40,
    "cancelled_start": 20,
    "cancelled_end": 30,
    "wrong": 60,
    "replay": 20,
    "race": 20,
    "abandoned": 20,
}

MALLINFO = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class OddError(Exception):
    """A call that ended in an unexpected way."""


class Mint:
    """Gets tokens from the broker, like a person who opens the mail."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._asked: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def token(self, url: str, how: str) -> dict[str, Any]:
        async with self._connecting:
            if self._writer is None or self._writer.is_closing():
                await self._connect()
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._writer.write(json.dumps({"url": url, "how": how}).encode() + b"\n")
        return await answer

    async def close(self) -> None:
        if self._writer is not None and self._reading is not None:
            self._writer.close()
            await self._reading

    async def _connect(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        asked = self._asked = deque()
        self._reading = asyncio.create_task(self._read(reader, self._writer, asked))

    async def _read(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asked: deque[asyncio.Future[dict[str, Any]]],
    ) -> None:
        with suppress(OSError):
            while line := await reader.readline():
                asked.popleft().set_result(json.loads(line))
        writer.close()
        for answer in asked:
            answer.set_exception(ConnectionResetError())


class Subject:
    """Two permanent clients with their stores, and others that are made for one login."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.mint = Mint(settings["mint_port"])
        self.kept = {store: self.client(store, store) for store in ("memory", "redis")}
        self.counts: Counter[str] = Counter()
        self.running: set[asyncio.Task[None]] = set()
        self.number = 0
        self.reports = 0
        self.random = random.Random(settings["seed"])
        # For a test that shows that the driver notices a leak.
        self.leaked: list[bytearray] = []

    def client(self, store: str, name: str) -> Client:
        return Client(
            REDIRECT_URI,
            broker=self.settings["broker"],
            store=self.settings["redis"] if store == "redis" else "memory:",
            algorithms=("EdDSA", "RS256"),
            session_ttl=self.settings["session_ttl"],
            timeout=self.settings["timeout"],
            user_agent=f"python/{name}",
        )

    async def run(self) -> None:
        for client in self.kept.values():
            await client.warm()
        tell(ready=True)
        end = time.monotonic() + self.settings["seconds"]
        due, next_report = 0.0, 0.0
        while (now := time.monotonic()) < end:
            while due >= 1 and len(self.running) < MOST_AT_ONCE:
                due -= 1
                self.start()
            if now >= next_report:
                next_report = now + 1
                self.reports += 1
                if self.reports % COLLECT_EVERY == 0:
                    gc.collect()
                self.report()
            # Missed logins are not made up for: more concurrent logins would need more memory.
            due = min(due, 1) + self.settings["rate"] * min(await self.turn(), 2 * TURN)
        await asyncio.gather(*self.running)
        self.report(done=True)
        orders = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(orders)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        await orders.read()
        await self.mint.close()
        for client in self.kept.values():
            await client.aclose()

    async def turn(self) -> float:
        """Sleeps, and reports a long delay: then a time limit may pass without a fault."""
        begun = time.monotonic()
        await asyncio.sleep(TURN)
        ended = time.monotonic()
        if ended - begun > TURN + LATE:
            tell(late=[begun, ended])
        return ended - begun

    def start(self) -> None:
        self.number += 1
        stores = list(self.kept)
        if self.number <= len(KINDS) * len(stores):
            # Every kind occurs, also in a short run.
            kind = list(KINDS)[(self.number - 1) // len(stores)]
            store = stores[self.number % len(stores)]
        else:
            (kind,) = self.random.choices(list(KINDS), KINDS.values())
            store = self.random.choice(stores)
        if self.settings["leak"]:
            self.leaked.append(bytearray(self.settings["leak"]))
        task = asyncio.create_task(self.login(self.number, kind, store))
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    def report(self, **more: object) -> None:
        own = {"python_blocks": sys.getallocatedblocks(), "malloc_bytes": malloc_bytes()}
        tell(counts=self.counts, logins=self.counts.total(), own=own, **more)

    async def login(self, number: int, kind: str, store: str) -> None:
        login = Login(self, number, kind, store)
        result = "as meant"
        try:
            await login.run()
        except OddError as odd:
            result = "odd"
            tell(odd=odd.args[0])
        except Exception as error:
            result = "odd"
            tell(odd={"step": "login", "code": "crash", "class": repr(error), **login.about()})
        self.counts[f"{store} {kind}: {result}"] += 1


class Login:
    """One login of some kind. Its methods raise `OddError`."""

    def __init__(self, subject: Subject, number: int, kind: str, store: str) -> None:
        self.subject, self.number, self.kind, self.store = subject, number, kind, store
        self.email = f"person-{number}@example.com"
        self.session = f"/members/{number}"
        self.name = store
        self.client = subject.kept[store]
        self.begun = self.called = self.signed = time.monotonic()
        self.random = subject.random

    def about(self) -> dict[str, Any]:
        ended = time.monotonic()
        who = {"kind": self.kind, "store": self.store, "client": f"python/{self.name}"}
        times = {"begun": self.begun, "signed": self.signed, "called": self.called}
        return {**who, **times, "ended": ended}

    def odd(self, step: str, code: str, kind: str = "") -> NoReturn:
        raise OddError({"step": step, "code": code, "class": kind, **self.about()})

    async def run(self) -> None:
        if self.kind == "fresh":
            self.name = f"fresh-{self.number}"
            self.client = self.subject.client(self.store, self.name)
            async with self.client:
                await self.plain()
        else:
            await getattr(self, self.kind)()

    async def plain(self) -> None:
        await self.complete(await self.token(await self.start()))

    async def cancelled_start(self) -> None:
        starting = asyncio.create_task(self.call("start", self.authenticate()))
        await asyncio.sleep(self.random.random() / 500)
        starting.cancel()
        with suppress(asyncio.CancelledError):
            url = await starting
            await self.complete(await self.token(url))

    async def cancelled_end(self) -> None:
        token = await self.token(await self.start())
        completing = asyncio.create_task(self.outcome("cancelled", token))
        await asyncio.sleep(self.random.random() / 500)
        completing.cancel()
        first = "cancelled"
        with suppress(asyncio.CancelledError):
            first = await completing
        second = await self.outcome("again", token)
        if (first, second) not in {
            ("cancelled", "success"),
            ("cancelled", "session_used"),
            ("success", "session_used"),
        }:
            self.odd("again", "success" if first == second else f"{first}, {second}")

    async def wrong(self) -> None:
        how = self.random.choice(list(WRONG))
        url = await self.start()
        wrong = await self.token(url, how)
        outcome = await self.outcome("wrong", wrong, WRONG[how])
        if outcome != WRONG[how]:
            self.odd(how, outcome)
        # The login is still pending, unless the broker signed another address.
        right = await self.token(url)
        if how != "address":
            await self.complete(right)
        elif (outcome := await self.outcome("after", right)) != "session_used":
            self.odd("after", outcome)

    async def replay(self) -> None:
        token = await self.token(await self.start())
        await self.complete(token)
        outcome = await self.outcome("replay", token)
        if outcome != "session_used":
            self.odd("replay", outcome)

    async def race(self) -> None:
        token = await self.token(await self.start())
        outcomes = await asyncio.gather(
            *(self.outcome("race", token) for _ in range(3)), return_exceptions=True
        )
        successes = outcomes.count("success")
        if successes > 1:
            self.odd("race", "success")
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        if successes == 0:
            self.odd("race", "nobody")

    async def abandoned(self) -> None:
        await self.start()

    async def start(self) -> str:
        return await self.call("start", self.authenticate())

    async def authenticate(self) -> str:
        return await self.client.authenticate(self.email, session=self.session)

    async def token(self, url: str, how: str = "right") -> str:
        # Some people are slow.
        if self.random.random() < 0.02:
            await asyncio.sleep(self.random.random() * 3)
        self.called = time.monotonic()
        try:
            minted = await asyncio.wait_for(self.subject.mint.token(url, how), PATIENCE)
            self.signed = minted["at"]
            return str(minted["token"])
        except OSError:
            self.odd("token", "no_token")
        except TimeoutError:
            self.odd("token", "hang")

    async def complete(self, token: str) -> None:
        login = await self.call("complete", self.client.complete({"id_token": token, "state": ""}))
        if (login.email, login.session) != (self.email, self.session):
            self.odd("complete", "mixed_up")

    async def outcome(self, step: str, token: str, *more: str) -> str:
        """`success`, or one of the expected codes."""
        form = {"id_token": token}
        known = {"session_used", *more}
        try:
            await self.call(step, self.client.complete(form), known)
        except PortierError as error:
            return error.code
        return "success"

    async def call(self, step: str, pending: Awaitable[Any], known: set[str] = frozenset()) -> Any:
        self.called = time.monotonic()
        try:
            return await asyncio.wait_for(pending, PATIENCE)
        except PortierError as error:
            if type(error).__name__ != self.subject.settings["classes"].get(error.code):
                self.odd(step, "wrong_class", f"{type(error).__name__} {error.code}")
            if error.code in known:
                raise
            self.odd(step, error.code, type(error).__name__)
        except TimeoutError:
            self.odd(step, "hang")


class MallInfo(ctypes.Structure):
    """The figures of glibc's heaps: `struct mallinfo2` of malloc.h."""

    _fields_ = [(name, ctypes.c_size_t) for name in MALLINFO.split()]


def malloc_bytes() -> int:
    """The bytes in use in the heaps of C and Rust; 0 without glibc 2.33 or newer."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = MallInfo
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


def tell(**members: object) -> None:
    print(json.dumps(members), flush=True)


if __name__ == "__main__":
    # The soak uses wrong nonces on purpose, and a warning on standard error would fail it.
    logging.getLogger("portier_client").setLevel(logging.CRITICAL)
    asyncio.run(Subject(json.loads(sys.argv[1])).run())
