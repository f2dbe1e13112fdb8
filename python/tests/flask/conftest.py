"""Applications and a broker for the tests of the integration with Flask."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from portier_client.testing import DevBroker

from .visits import SITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@pytest.fixture
def make(broker: DevBroker) -> Callable[..., Flask]:
    """Makes an application with settings, which has no extension yet."""

    def make(**settings: object) -> Flask:
        app = Flask("site")
        app.config.update(
            SECRET_KEY=secrets.token_urlsafe(32),
            PORTIER_REDIRECT_URI=f"{SITE}/verify",
            PORTIER_BROKER=broker.origin,
        )
        app.config.update(settings)
        return app

    return make
