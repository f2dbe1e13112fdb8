"""A Celery task that uses the blocking client, which is made and used before the pool is forked.

BROKER=… STORE=… QUEUE=redis+socket://… celery --app celery_tasks worker
"""

from __future__ import annotations

import json
import os

import redis
from celery import Celery
from wsgi import answer_to  # type: ignore[import-not-found]

app = Celery(broker=os.environ["QUEUE"], broker_connection_retry_on_startup=True)
commands = redis.Redis(unix_socket_path=os.environ["QUEUE"].partition("://")[2])


@app.task
def serve() -> None:
    """Serves, in this process of the pool, the requests that name its process id."""
    pid = os.getpid()
    commands.lpush("pids", pid)
    while command := commands.blpop([f"ask:{pid}"], timeout=60):
        path, form = json.loads(command[1])
        if path == "/end":
            return
        answer = f"{pid} {answer_to(path, {name: [value] for name, value in form.items()})}"
        commands.lpush(f"answer:{pid}", answer)
