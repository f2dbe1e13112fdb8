"""Sites with a memory store, and several workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from .running import Server, serving
from .servers import (
    GRANIAN,
    HYPERCORN,
    SERVERS,
    UVICORN,
    gunicorn,
    module,
    pm2,
    require_apache,
    uwsgi,
)

if TYPE_CHECKING:
    from pathlib import Path

    from portier_client.testing import DevBroker

WARNING = "Warning: pending logins are in the memory of"
EVENT = "login not in memory store"
SEVERAL = [
    "gunicorn",
    "gunicorn gthread --preload",
    "gunicorn gevent",
    "uwsgi",
    "uwsgi --lazy-apps",
    "mod_wsgi",
    "uvicorn",
    "hypercorn",
    "granian",
    "tornado",
    "node cluster",
    "node worker_threads",
    "pm2 cluster",
]
ONE = {
    "gunicorn": gunicorn("--workers=1"),
    "gunicorn --preload": gunicorn("--workers=1", "--preload"),
    "uwsgi": uwsgi("--master", workers=1),
    "uvicorn": module(*UVICORN, "asgi:application"),
    "uvicorn --reload": module(*UVICORN, "--reload", "asgi:application"),
    "hypercorn": module(*HYPERCORN, "asgi:application"),
    "granian": module(*GRANIAN, "--interface=asgi", "asgi:application"),
    "waitress": module("waitress", "--listen=127.0.0.1:{port}", "wsgi:application"),
    "daphne": module("daphne", "--bind=127.0.0.1", "--port={port}", "asgi:application"),
    "pm2 fork": pm2("pm2_instance.mjs"),
    "pm2 cluster": pm2("pm2_instance.mjs", "--instances=1"),
}


@pytest.mark.parametrize("name", [name for name in SEVERAL if name in SERVERS])
def test_each_of_several_workers_warns_once_and_reports_the_first_lost_login(
    name: str, broker: DevBroker, tmp_path: Path
) -> None:
    if name == "mod_wsgi":
        require_apache()
    with serving(SERVERS[name], tmp_path, broker=broker.origin, store="memory:") as site:
        first, second = site.workers
        for _ in range(2):
            token = broker.mint(site.ask(first, "/start"))
            assert site.ask(second, "/verify", id_token=token) == "session_unknown"
        token = broker.mint(site.ask(first, "/start"))
        assert site.ask(first, "/verify", id_token=token) == "alice@example.com"
    assert site.log().count(WARNING) == len(site.workers), site.log()
    # In Node, only subscribers see events.
    if not SERVERS[name].hands_out or name == "granian":
        assert site.log().count(EVENT) == 1, site.log()


@pytest.mark.parametrize("name", ONE)
def test_a_single_worker_does_not_warn(name: str, broker: DevBroker, tmp_path: Path) -> None:
    server: Server = replace(ONE[name], workers=1)
    with serving(server, tmp_path, broker=broker.origin, store="memory:") as site:
        (worker,) = site.workers
        token = broker.mint(site.ask(worker, "/start"))
        assert site.ask(worker, "/verify", id_token=token) == "alice@example.com"
        assert site.ask(worker, "/verify", id_token=token) == "session_used"
    assert WARNING not in site.log()
    assert EVENT not in site.log()
