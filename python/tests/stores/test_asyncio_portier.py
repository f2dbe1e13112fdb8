"""The functions of asyncio-portier, with the caches that it accepted."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
import redis.asyncio
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from portier_client import PortierError, asyncio_portier, errors
from portier_client.asyncio_portier import discover_keys, get_verified_email
from portier_client.testing import DevBroker

from .servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUDIENCE = "https://example.com"
AT_ONCE = 16


class Cache:
    """The minimum that the old package required of a cache."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[Any, float]] = {}

    def get(self, name: str) -> bytes | None:
        value, deadline = self.values.get(name, (None, 0))
        return None if value is None or deadline <= time.monotonic() else str(value).encode()

    def set(self, name: str, value: str, ex: float) -> bool:
        self.values[name] = (value, time.monotonic() + ex)
        return True

    def delete(self, *names: str) -> int | None:
        return sum(self.values.pop(name, None) is not None for name in names)


class WaitingCache:
    """The same with coroutine functions, as in aioredis 1."""

    def __init__(self) -> None:
        self.cache = Cache()

    async def get(self, name: str) -> str | None:
        await asyncio.sleep(0)
        value = self.cache.get(name)
        return value and value.decode()

    async def set(self, name: str, value: str, *, expire: float) -> bool:
        await asyncio.sleep(0)
        return self.cache.set(name, value, expire)

    async def delete(self, *names: str) -> int | None:
        await asyncio.sleep(0)
        return self.cache.delete(*names)


class SilentCache(WaitingCache):
    """Does not return what it deleted, and accepts times only by position."""

    async def set(self, name: str, value: str, seconds: float, /) -> bool:  # type: ignore[override]
        return self.cache.set(name, value, seconds)

    async def delete(self, *names: str) -> None:
        await super().delete(*names)


class OldServer(WaitingCache):
    """A server that does not know `GETDEL`."""

    async def getdel(self, name: str) -> None:
        raise redis.ResponseError("unknown command 'GETDEL', with args beginning with: ")


CACHES = ["Cache", "WaitingCache", "SilentCache", "OldServer", "redis", "redis.asyncio"]


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with redis_server() as socket:
        yield socket


@pytest.fixture(params=CACHES)
def make_cache(request: pytest.FixtureRequest, socket: Path) -> Any:
    """Makes a cache, in a running loop."""
    kinds: dict[str, Any] = {"redis": redis.Redis, "redis.asyncio": redis.asyncio.Redis}
    kind = kinds.get(request.param)
    if kind is None:
        return globals()[request.param]
    return lambda: kind(unix_socket_path=str(socket))


async def close(cache: Any) -> None:
    if isinstance(cache, redis.asyncio.Redis):
        await cache.aclose()
    elif isinstance(cache, redis.Redis):
        cache.close()


async def put(cache: Any, nonce: str, page: str = "/members") -> None:
    """What a site does when it redirects the browser to the broker."""
    name = f"portier:nonce:{nonce}"
    if isinstance(cache, SilentCache):
        await cache.set(name, page, 900)
    elif isinstance(cache, WaitingCache):
        await cache.set(name, page, expire=900)
    else:
        kept = cache.set(name, page, ex=900)
        _ = await kept if hasattr(kept, "__await__") else kept


def mint(broker: DevBroker, nonce: str, **changes: Any) -> str:
    return broker.mint(client_id=AUDIENCE, nonce=nonce, email="Alice@Example.com", **changes)


async def verify(broker: DevBroker, token: str, cache: Any, **changes: str) -> tuple[str, str]:
    usual = {"broker_url": broker.origin, "audience": AUDIENCE, "issuer": broker.origin}
    return await get_verified_email(token=token, cache=cache, **{**usual, **changes})


def test_a_login_completes_once_in_many_attempts(make_cache: Any, broker: DevBroker) -> None:
    async def main() -> None:
        cache = make_cache()
        for number in range(10):
            nonce = f"{make_cache}{number}{time.monotonic()}"
            await put(cache, nonce)
            token = mint(broker, nonce)
            outcomes = await asyncio.gather(
                *(verify(broker, token, cache) for _ in range(AT_ONCE)), return_exceptions=True
            )
            failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            assert len(failures) == AT_ONCE - 1
            for error in failures:
                assert isinstance(error, asyncio_portier.InvalidSession)
                assert isinstance(error, ValueError)
                assert error.code == "session_unknown"
            assert [o for o in outcomes if not isinstance(o, BaseException)] == [
                ("alice@example.com", "/members")
            ]
        await close(cache)

    asyncio.run(main())


def test_concurrent_logins_keep_their_own_pages_and_caches(broker: DevBroker) -> None:
    async def main() -> None:
        with DevBroker() as fresh:
            caches = [WaitingCache() for _ in range(10)]
            for number, cache in enumerate(caches):
                await put(cache, "the same nonce", f"/{number}")
            token = mint(fresh, "the same nonce")
            answers = await asyncio.gather(*(verify(fresh, token, cache) for cache in caches))
        assert [page for _, page in answers] == [f"/{number}" for number in range(10)]

    asyncio.run(main())


def test_a_refused_token_leaves_the_login_pending(broker: DevBroker) -> None:
    async def main() -> None:
        cache = Cache()
        await put(cache, "nonce")
        for wrong, kind, code in (
            ({"key": "stranger"}, errors.InvalidToken, "token_key_unknown"),
            ({"claims": {"iss": "https://broker.example"}}, errors.InvalidToken, "token_issuer"),
            ({"claims": {"aud": "https://other.example"}}, errors.InvalidToken, "token_audience"),
            ({"claims": {"iat": 1_000, "exp": 2_000}}, errors.TokenExpired, "token_expired"),
        ):
            with pytest.raises(ValueError, match=r"\w") as caught:
                await verify(broker, mint(broker, "nonce", **wrong), cache)
            assert isinstance(caught.value, kind)
            assert isinstance(caught.value, asyncio_portier.InvalidToken)
            assert caught.value.code == code
        for nothing in ("", "no token"):
            with pytest.raises(asyncio_portier.InvalidToken):
                await verify(broker, nothing, cache)
        assert await verify(broker, mint(broker, "nonce"), cache) == (
            "alice@example.com",
            "/members",
        )

    asyncio.run(main())


@pytest.mark.parametrize("page", ["", None])
def test_a_nonce_without_a_page_is_unknown(page: str | None, broker: DevBroker) -> None:
    async def main() -> None:
        cache = Cache()
        if page is not None:
            await put(cache, "nonce", page)
        with pytest.raises(asyncio_portier.InvalidSession):
            await verify(broker, mint(broker, "nonce"), cache)

    asyncio.run(main())


def test_an_exception_of_the_cache_is_the_cause(broker: DevBroker) -> None:
    class Gone(Cache):
        def get(self, name: str) -> bytes | None:
            raise ConnectionError("secret")

    with pytest.raises(asyncio_portier.StoreError) as caught:
        asyncio.run(verify(broker, mint(broker, "nonce"), Gone()))
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert "secret" not in str(caught.value)


def test_a_login_completes_if_keys_cannot_be_cached(broker: DevBroker) -> None:
    class Full(Cache):
        def set(self, name: str, value: str, ex: float) -> bool:
            if name.startswith("portier:jwks:"):
                raise MemoryError
            return super().set(name, value, ex)

    async def main() -> tuple[str, str]:
        cache = Full()
        await put(cache, "nonce")
        return await verify(broker, mint(broker, "nonce"), cache)

    assert asyncio.run(main()) == ("alice@example.com", "/members")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"audience": "example.com"}, "invalid_option"),
        ({"audience": "//example.com"}, "invalid_redirect_uri"),
        ({"audience": "https://example.com/verify"}, "invalid_option"),
        ({"issuer": "https://broker.example"}, "invalid_option"),
        ({"broker_url": "http://broker.example"}, "insecure_url"),
        ({"broker_url": "broker.example"}, "invalid_broker"),
    ],
)
def test_invalid_arguments_are_config_errors(
    changes: dict[str, str], code: str, broker: DevBroker
) -> None:
    with pytest.raises(asyncio_portier.ConfigError) as caught:
        asyncio.run(verify(broker, mint(broker, "nonce"), Cache(), **changes))
    assert caught.value.code == code
    assert isinstance(caught.value, ValueError)


def test_a_slash_at_the_end_of_the_broker_url_is_ignored(broker: DevBroker) -> None:
    async def main() -> tuple[str, str]:
        cache = Cache()
        await put(cache, "nonce")
        url = f"{broker.origin}/"
        return await verify(broker, mint(broker, "nonce"), cache, broker_url=url, issuer=url)

    assert asyncio.run(main()) == ("alice@example.com", "/members")


def test_keys_are_read_from_and_written_to_the_cache(make_cache: Any) -> None:
    async def main() -> None:
        cache = make_cache()
        with DevBroker() as broker:
            keys = await discover_keys(broker.origin, cache)
            assert set(keys) == {broker.key_id("current"), broker.key_id("next")}
            assert all(isinstance(key, RSAPublicKey) for key in keys.values())
            await discover_keys(broker.origin, cache)
            assert broker.requests()["/keys.json"] == 1
            left = cache.get(f"portier:jwks:{broker.origin}")
            left = await left if hasattr(left, "__await__") else left
            assert {key["kid"] for key in json.loads(left)["keys"]} >= set(keys)
        await close(cache)

    asyncio.run(main())


def test_keys_in_the_cache_are_not_trusted(broker: DevBroker) -> None:
    async def main() -> None:
        cache = Cache()
        await put(cache, "nonce")
        with DevBroker() as other:
            # Brokers of one process start with the same keys.
            other.forget_keys()
            await discover_keys(other.origin, cache)
            stolen = cache.values[f"portier:jwks:{other.origin}"]
            cache.values[f"portier:jwks:{broker.origin}"] = stolen
            claims = {"iss": broker.origin}
            forged = other.mint(
                client_id=AUDIENCE, nonce="nonce", email="a@example.com", claims=claims
            )
        with pytest.raises(asyncio_portier.InvalidToken):
            await verify(broker, forged, cache)

    asyncio.run(main())


def test_an_unreachable_broker_is_an_error_of_both_packages() -> None:
    broker = DevBroker()
    broker.stop()
    for call in (discover_keys(broker.origin, Cache()), verify(broker, "x", Cache())):
        with pytest.raises(ValueError, match=r"\w") as caught:
            asyncio.run(call)
        assert isinstance(caught.value, PortierError)
    with pytest.raises(asyncio_portier.BrokerUnavailable) as unavailable:
        asyncio.run(discover_keys(broker.origin, Cache()))
    assert unavailable.value.retryable
    assert unavailable.value.__cause__ is not None


def test_every_error_class_is_also_a_value_error() -> None:
    for name in asyncio_portier.__all__:
        kind = getattr(asyncio_portier, name)
        if isinstance(kind, type):
            assert issubclass(kind, getattr(errors, name))
            assert issubclass(kind, ValueError)
