"""The faults of the broker and of Redis: the schedule, and the record."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from environment import Environment


@dataclass(frozen=True)
class Fault:
    """A fault during some time, for all clients or for one."""

    kind: str
    begun: float
    ended: float
    client: str | None = None


class Trouble:
    """Injects one fault after the other, in a random order that is the same in each run."""

    def __init__(self, environment: Environment, seed: int, down: tuple[float, float]) -> None:
        """`down` is the number of seconds for which a server is down or stopped."""
        self.environment = environment
        self.down = down
        self.random = random.Random(seed)
        self.record: list[Fault] = []
        self._kinds = self._endless()

    def make(self) -> None:
        """Waits until the faulty server works again."""
        kind = next(self._kinds)
        begun = time.monotonic()
        getattr(self, kind)()
        self.record.append(Fault(kind, begun, time.monotonic()))

    def faults(self) -> list[Fault]:
        """All faults, including the requests that the broker failed."""
        failed = [
            Fault(str(told["fault"]), told["at"], told["at"], str(told["who"]))
            for told in self.environment.broker_told
            if "fault" in told
        ]
        return self.record + failed

    def keys_rotate(self) -> None:
        self.environment.command("rotate")

    def keys_forgotten(self) -> None:
        self.environment.command("forget")

    def broker_restarts(self) -> None:
        self.environment.kill_broker()
        self.pass_time()
        self.environment.start_broker()

    def broker_restarts_without_keys(self) -> None:
        self.environment.kill_broker()
        self.pass_time()
        self.environment.start_broker(other_keys=True)

    def broker_stalls(self) -> None:
        with self.environment.stopped(self.environment.broker):
            self.pass_time()

    def redis_restarts(self) -> None:
        self.environment.kill_redis(signal.SIGTERM)
        self.pass_time()
        self.environment.start_redis()

    def redis_is_killed(self) -> None:
        self.environment.kill_redis(signal.SIGKILL)
        self.pass_time()
        self.environment.start_redis()

    def redis_stalls(self) -> None:
        with self.environment.stopped(self.environment.redis):
            self.pass_time()

    def redis_drops_connections(self) -> None:
        self.environment.drop_redis_connections()

    def pass_time(self) -> None:
        time.sleep(self.random.uniform(*self.down))

    def _endless(self) -> Iterator[str]:
        while True:
            yield from self.random.sample(KINDS, len(KINDS))


KINDS = (
    "keys_rotate",
    "keys_forgotten",
    "broker_restarts",
    "broker_restarts_without_keys",
    "broker_stalls",
    "redis_restarts",
    "redis_is_killed",
    "redis_stalls",
    "redis_drops_connections",
)
