"""Compares which addresses and redirect URIs the library and the real broker accept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from e2e.broker import Broker
from portier_client import Client, normalize_email
from portier_client.testing import DevBroker

from . import corpus, exceptions
from .judges import Judge, our_client, we_take_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Kinds = Mapping[str, Callable[[str], bool]]


@pytest.fixture(scope="module")
def development() -> Iterator[Judge]:
    """The development broker, which shows pages."""
    with DevBroker() as broker, Judge(broker.origin, blocks=False) as judge:
        yield judge


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """A real broker that sends no mail: it blocks every domain but one that is not used."""
    options = {"ALLOWED_DOMAINS": "allowed.test"}
    directory = tmp_path_factory.mktemp("strict")
    with (
        Broker(directory, options=options) as broker,
        Judge(broker.origin, blocks=True) as judge,
    ):
        yield judge


def test_the_real_broker_accepts_every_address_that_we_accept(
    real: Judge, development: Judge
) -> None:
    client = Client("https://rp.example/verify", broker=development.origin)
    refused_by_broker, refused_by_us, development_differs = [], [], []
    verdicts: Counter[tuple[bool, bool]] = Counter()
    for text in corpus.addresses():
        ours, theirs = we_take_address(client, text), real.takes_address(text)
        verdicts[ours, theirs] += 1
        if ours and not theirs:
            refused_by_broker.append(text)
        if theirs and not ours:
            refused_by_us.append(text)
        if development.takes_address(text) is not ours:
            development_differs.append(text)
        if ours and theirs:
            assert normalize_email(text) == real.normalize(text), ascii(text)
    assert [*map(ascii, refused_by_broker)] == []
    assert [*map(ascii, development_differs)] == []
    explained(refused_by_us, exceptions.ADDRESSES)
    # Both verdicts occur.
    assert verdicts[True, True] > 50
    assert verdicts[False, False] > 50


def test_the_real_broker_accepts_every_redirect_uri_that_we_send(
    real: Judge, development: Judge
) -> None:
    refused_by_broker, refused_by_us, looser, stricter = [], [], [], []
    verdicts: Counter[tuple[bool, bool]] = Counter()
    for text in corpus.redirect_uris():
        client, theirs = our_client(text), real.takes_redirect_uri(text)
        verdicts[client is not None, theirs] += 1
        if client is None:
            if theirs:
                refused_by_us.append(text)
        elif not (real.takes_client(client) and development.takes_client(client)):
            refused_by_broker.append(text)
        taken = development.takes_redirect_uri(text)
        if taken and not theirs:
            looser.append(text)
        if theirs and not taken:
            stricter.append(text)
    assert [*map(ascii, refused_by_broker)] == []
    assert [*map(ascii, looser)] == []
    explained(refused_by_us, exceptions.REDIRECT_URIS)
    explained(stricter, exceptions.REDIRECT_URIS)
    assert verdicts[True, True] > 50
    # The broker refuses them as typed; the library sends another spelling.
    assert verdicts[True, False] > 20
    assert verdicts[False, False] > 20


def explained(texts: list[str], kinds: Kinds) -> None:
    """Fails if no kind covers a text, or if a kind covers no text."""
    unexplained = [text for text in texts if not any(is_one(text) for is_one in kinds.values())]
    assert [*map(ascii, unexplained)] == []
    stale = [reason for reason, is_one in kinds.items() if not any(is_one(text) for text in texts)]
    assert stale == []
