"""Logins that start in one worker of a site and complete in another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from .running import Site, serving
from .servers import RECYCLING, SERVERS, require_apache

if TYPE_CHECKING:
    from pathlib import Path

    from portier_client.testing import DevBroker

    from .test_celery import Pool


@pytest.mark.parametrize("name", SERVERS)
def test_every_worker_starts_and_completes_logins_before_and_after_a_reload(
    name: str, broker: DevBroker, store: str, tmp_path: Path
) -> None:
    if name == "mod_wsgi":
        require_apache()
    with serving(SERVERS[name], tmp_path, broker=broker.origin, store=store) as site:
        log_in_everywhere(site, broker)
        if SERVERS[name].reload is not None:
            token = broker.mint(site.ask(site.workers[0], "/start"))
            site.reload()
            assert site.ask(site.workers[0], "/verify", id_token=token) == "alice@example.com"
            log_in_everywhere(site, broker)


@pytest.mark.parametrize("name", RECYCLING)
def test_a_login_outlives_the_worker_that_started_it(
    name: str, broker: DevBroker, store: str, tmp_path: Path
) -> None:
    with serving(RECYCLING[name], tmp_path, broker=broker.origin, store=store) as site:
        for _ in range(2):
            old = site.workers[0]
            token = broker.mint(site.ask(old, "/start"))
            site.replace(old)
            assert old not in site.workers
            first, second = site.workers
            assert site.ask(first, "/verify", id_token=token) == "alice@example.com", site.log()
            assert site.ask(second, "/verify", id_token=token) == "session_used", site.log()


def log_in_everywhere(site: Site | Pool, broker: DevBroker) -> None:
    """Starts and completes a login in every pair of workers."""
    for first, second in itertools.product(site.workers, repeat=2):
        token = broker.mint(site.ask(first, "/start"))
        assert site.ask(second, "/verify", id_token=token) == "alice@example.com", site.log()
        assert site.ask(first, "/verify", id_token=token) == "session_used", site.log()
