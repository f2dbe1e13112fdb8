"""Logins that start in one process of Celery's pool and complete in another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from celery import Celery
from redis import Redis

from .running import PATIENCE, SITES
from .test_logins import log_in_everywhere

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


class Pool:
    """The processes of a pool; a request names the process id."""

    def __init__(self, redis: Redis, log: Path) -> None:
        self._redis = redis
        self._log = log
        self.workers = [self._pop("pids") for _ in range(2)]

    def ask(self, worker: str, path: str, **form: str) -> str:
        self._redis.lpush(f"ask:{worker}", json.dumps([path, form]))
        answered_by, _, answer = self._pop(f"answer:{worker}").partition(" ")
        assert answered_by == worker
        return answer

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def _pop(self, name: str) -> str:
        popped = self._redis.blpop([name], timeout=PATIENCE)
        assert popped is not None, self.log()
        return str(popped[1].decode())


@contextmanager
def pool(folder: Path, redis: Path, **variables: str) -> Iterator[Pool]:
    """Runs a worker of Celery with a pool of two processes, and ends it cleanly."""
    queue = f"redis+socket://{redis}"
    command = [sys.executable, "-m", "celery", "--app=celery_tasks", "worker", "--concurrency=2"]
    environment = {**os.environ, "PYTHONPATH": str(SITES), "QUEUE": queue, **variables}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with Redis(unix_socket_path=str(redis)) as commands, Celery(broker=queue) as app:
            commands.flushall()
            for _ in range(2):
                app.send_task("celery_tasks.serve")
            workers = Pool(commands, folder / "log")
            yield workers
            for worker in workers.workers:
                commands.lpush(f"ask:{worker}", json.dumps(["/end", {}]))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_every_process_of_a_pool_starts_and_completes_logins(
    broker: DevBroker, store: str, redis: Path, tmp_path: Path
) -> None:
    with pool(tmp_path, redis, BROKER=broker.origin, STORE=store) as workers:
        log_in_everywhere(workers, broker)
