"""What can go wrong in a login: the steps of the browser, and what the broker does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from ._broker import DevBroker, running_broker, running_brokers
from ._browser import Reply, Steps
from ._failure import LoginFailed
from ._journey import Journey, origin_of


def log_in(
    journey: Journey, email: str, before_answer: Callable[[DevBroker], None] | None = None
) -> Steps[Reply]:
    """Log somebody in."""
    url, broker = yield from _start(journey)
    if before_answer is not None:
        before_answer(broker)
    done = yield from journey.come_back(url, _sign_in(broker, url, email))
    shown = yield from journey.finish(done)
    journey.check(done, shown)
    return shown


def refused(journey: Journey, email: str) -> Steps[Reply]:
    """Prove an address that the site does not sign in."""
    url, broker = yield from _start(journey)
    done = yield from journey.come_back(url, _sign_in(broker, url, email))
    journey.check_refused(done)
    return done


def rotated_keys(journey: Journey, email: str) -> Steps[Reply]:
    """Log in while the broker replaces its keys."""
    return (yield from log_in(journey, email, _replace_keys))


def expired(journey: Journey, email: str) -> Steps[Reply]:
    """Come back with a token that has expired."""
    return (yield from _answered(journey, email, "expired"))


def cancelled(journey: Journey, email: str) -> Steps[Reply]:
    """Cancel at the broker."""
    return (yield from _answered(journey, email, "refuse"))


def wrong_address(journey: Journey, email: str, proves: str) -> Steps[Reply]:
    """Prove another address than the one that was typed."""
    return (yield from _answered(journey, email, f"as:{proves}"))


def replayed(journey: Journey, email: str) -> Steps[Reply]:
    """Send the answer again that has completed a login in another browser."""
    url, broker = yield from _start(journey, elsewhere=True)
    answer = _sign_in(broker, url, email)
    done = yield from journey.come_back(url, answer, elsewhere=True)
    journey.check(done, (yield from journey.finish(done, elsewhere=True)))
    return (yield from journey.finish((yield from journey.come_back(url, answer))))


def other_browser(journey: Journey, email: str, *, confirm: bool) -> Steps[Reply]:
    """Come back in the client, from a login that was started in another browser."""
    url, broker = yield from _start(journey, elsewhere=True)
    asked = yield from journey.come_back(url, _sign_in(broker, url, email))
    if not confirm:
        return (yield from journey.finish(asked))
    done = yield from journey.consent(asked)
    shown = yield from journey.finish(done)
    journey.check(done, shown)
    return shown


def broker_down(journey: Journey, email: str) -> Steps[Reply]:
    """Start a login and come back while the broker cannot be reached."""
    with _unreachable(running_brokers()):
        try:
            url, broker = yield from _start(journey)
        except LoginFailed as failed:
            # The site needs the broker to start a login.
            if failed._reply is None or failed._reply.status < 400:
                raise
            return failed._reply
        answer = _sign_in(broker, url, email)
        return (yield from journey.finish((yield from journey.come_back(url, answer))))


def _start(journey: Journey, *, elsewhere: bool = False) -> Steps[tuple[str, DevBroker]]:
    url = yield from journey.start(elsewhere=elsewhere)
    broker = running_broker(origin_of(url))
    if broker is None:
        raise LoginFailed(
            "the site does not redirect to a development broker of this process; give the client "
            "of the site the origin of the test's broker as its option broker "
            f"found={origin_of(url)}"
        )
    journey.check_scheme(url)
    return url, broker


def _answered(journey: Journey, email: str, mode: str) -> Steps[Reply]:
    url, broker = yield from _start(journey)
    answer = _sign_in(broker, url, email, mode)
    return (yield from journey.finish((yield from journey.come_back(url, answer))))


def _sign_in(broker: DevBroker, url: str, email: str, mode: str = "accept") -> dict[str, str]:
    # Without a hint of the site, the person types the address at the broker.
    is_known = "login_hint" in parse_qs(urlsplit(url).query)
    return broker.sign_in(url, mode=mode, email=None if is_known else email)


def _replace_keys(broker: DevBroker) -> None:
    broker.forget_keys()
    # A client that has just fetched keys for this reason waits for some seconds.
    broker.advance_time(10)


@contextmanager
def _unreachable(brokers: list[DevBroker]) -> Iterator[None]:
    for broker in brokers:
        broker.set_reachable(False)
    try:
        yield
    finally:
        for broker in brokers:
            broker.set_reachable(True)
            # After failures, a client waits before it asks again.
            broker.advance_time(60)
