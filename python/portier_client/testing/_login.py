"""Logins of tests: from the form of a site, over the development broker, back to the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, Unpack, overload

from . import _scenarios
from ._browser import Browser, Reply, Steps
from ._browsers import browser_of
from ._cookies import Cookies
from ._failure import LoginFailed
from ._journey import Journey
from ._proxy import Proxy

_EMAIL = "alice@example.com"
_OTHER_EMAIL = "mallory@example.com"


class LoginOptions(TypedDict, total=False):
    """How a test logs in."""

    page: str
    """The page to open first: the page with the login form, or one that redirects there, such as a
    page for members. The default is ``/login``, in Django and Tornado the site's login page."""

    action: str
    """The path that takes the form, for a form that no page shows, or only with scripts."""

    next_page: str
    """The page that the login leads to, as the field ``next`` of the form."""

    fields: Mapping[str, str]
    """Further fields of the form. Hidden fields of the page are sent anyway."""

    email_field: str
    """The name of the field for the address; ``email`` by default."""

    prefix: str
    """The beginning of the paths that browsers see, such as ``/app``, if a proxy in front of the
    site removes it. The site gets the paths without it, and the header ``X-Forwarded-Prefix``.
    Pages and paths may be given with it and without it."""

    follow: bool
    """Whether to open the page that the login leads to; true by default."""

    confirm: bool
    """Only for ``other_browser``: whether the person agrees to continue; false by default."""

    proves: str
    """Only for ``wrong_address``: the address that the broker confirms instead."""


@dataclass(frozen=True, kw_only=True)
class LoginResult:
    """What a site shows at the end of a login."""

    status: int
    """The status of the last response."""

    url: str
    """Its URL: the page that the login led to, or the redirect URI."""

    text: str
    """Its body."""

    problem: str | None
    """The id of the problem, such as ``over``, on a page of the flow. Pages of the site's own have
    none."""

    response: Any
    """The response itself, an object of the framework."""

    cookies: list[dict[str, Any]]
    """The cookies that the login has set, in the form that Playwright's ``add_cookies`` takes."""

    cookie: str
    """The same cookies as the value of a ``Cookie`` header, for clients that keep none."""

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<LoginResult status={self.status} url={self.url!r} problem={self.problem!r}>"


class AsyncTestClient(Protocol):
    """A test client whose methods are awaited."""

    def get(self, *args: Any, **kwargs: Any) -> Awaitable[Any]:
        """Send a request."""
        ...


class Scenario:
    """Performs a login, or one that fails, with a test client.

    ``client`` is the test client of a framework, or the URL of a running site. The call is awaited
    if the methods of the client are. ``email`` is the address that is typed.
    """

    def __init__(
        self, play: Callable[..., Steps[Reply]], defaults: LoginOptions, **own: object
    ) -> None:
        """Take the steps, the defaults of its calls, and the options of its own."""
        self._play, self._defaults, self._own = play, defaults, own

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, client: AsyncTestClient, email: str = ..., **options: Unpack[LoginOptions]
    ) -> Awaitable[LoginResult]: ...
    @overload
    def __call__(
        self, client: object, email: str = ..., **options: Unpack[LoginOptions]
    ) -> LoginResult: ...
    def __call__(self, client: Any, email: str = _EMAIL, **options: Unpack[LoginOptions]) -> Any:
        """Perform the login, and return what the site shows."""
        __tracebackhide__ = True
        given: dict[str, Any] = {**self._defaults, **options}
        next_page = given.pop("next_page", None)
        if next_page is not None:
            given["fields"] = {"next": next_page, **given.get("fields", {})}
        own = {name: given.pop(name, usual) for name, usual in self._own.items()}
        proxy = Proxy(given.pop("prefix", ""))
        browser = browser_of(client, given.get("page"))
        steps = proxy.between(self._play(Journey(browser, email, proxy, **given), email, **own))
        return _run_async(steps, browser) if browser.is_async else _run(steps, browser)


class LoginHelper(Scenario):
    """Logs a test client in, and simulates failures.

    A call opens the page with the login form, sends the form as a browser does, signs in at the
    :class:`DevBroker`, which must be one of this process, brings its answer back to the site, and
    opens the page that the login leads to. The client has the cookies of the login afterwards.

    ``client`` is the test client of a framework, or the URL of a running site. The call is awaited
    if the methods of the client are. It raises :class:`LoginFailed` if nobody is signed in. Options
    of the helper are the defaults of its calls.

    The attributes perform other logins. They return what the site shows, and raise
    :class:`LoginFailed` only if a login could not be started.
    """

    def __init__(self, **defaults: Unpack[LoginOptions]) -> None:
        """Take the defaults of all calls."""
        super().__init__(_scenarios.log_in, defaults)

        self.refused = Scenario(_scenarios.refused, defaults)
        """The site refuses the account, although the login is complete: ``on_login`` raises
        ``LoginRefused``, or answers with a status of 400 or more. The problem is
        ``account_unknown`` or ``account_refused``. Raises :class:`LoginFailed` if the person is
        signed in, and if the login does not complete."""

        self.expired = Scenario(_scenarios.expired, defaults)
        """The person comes back too late: the token has expired. The problem is ``over``."""

        self.cancelled = Scenario(_scenarios.cancelled, defaults)
        """The person cancels at the broker. The problem is ``cancelled``."""

        self.replayed = Scenario(_scenarios.replayed, defaults)
        """The client sends the answer that has completed a login in another browser. The problem is
        ``used``."""

        self.other_browser = Scenario(_scenarios.other_browser, defaults, confirm=False)
        """The client finishes a login that was started in another browser. The site asks whether to
        continue, or refuses with the problem ``other_browser``. With ``confirm=True`` the person
        agrees; then it raises :class:`LoginFailed` if nobody is signed in."""

        self.wrong_address = Scenario(_scenarios.wrong_address, defaults, proves=_OTHER_EMAIL)
        """The broker confirms ``proves``, another address than the one that was typed."""

        self.broker_down = Scenario(_scenarios.broker_down, defaults)
        """The site cannot reach the broker during the whole login. The problem is
        ``broker_unavailable``, when the login starts or when the person comes back. In the implicit
        flow, the login completes if the site has the documents of the broker already. Afterwards
        the broker can be reached, and its time is a minute later, so that the site asks it
        again."""

        self.rotated_keys = Scenario(_scenarios.rotated_keys, defaults)
        """The broker replaces its keys during the login, which must work; raises
        :class:`LoginFailed` if nobody is signed in. The time of the broker is ten seconds later."""


login = LoginHelper()
"""Logs a test client in; see :class:`LoginHelper`."""


def _run(steps: Steps[Reply], browser: Browser) -> LoginResult:
    __tracebackhide__ = True
    cookies = Cookies()
    try:
        request = next(steps)
        while True:
            reply = browser.exchange(request)
            if not request.is_elsewhere:
                cookies.keep(reply.set_cookies)
            request = steps.send(reply)
    except StopIteration as end:
        return _result(end.value, cookies, browser)
    except LoginFailed as error:
        # The line of the test matters, not the way to the error.
        raise error.with_traceback(None) from None
    finally:
        steps.close()


async def _run_async(steps: Steps[Reply], browser: Browser) -> LoginResult:
    __tracebackhide__ = True
    cookies = Cookies()
    try:
        request = next(steps)
        while True:
            reply = await browser.exchange(request)
            if not request.is_elsewhere:
                cookies.keep(reply.set_cookies)
            request = steps.send(reply)
    except StopIteration as end:
        return _result(end.value, cookies, browser)
    except LoginFailed as error:
        # The line of the test matters, not the way to the error.
        raise error.with_traceback(None) from None
    finally:
        steps.close()
        await browser.aclose()


def _result(reply: Reply, cookies: Cookies, browser: Browser) -> LoginResult:
    return LoginResult(
        status=reply.status,
        url=reply.url,
        text=reply.text,
        problem=reply.page.problem,
        response=reply.response,
        cookies=cookies.for_browsers(browser.origin),
        cookie=cookies.header,
    )
