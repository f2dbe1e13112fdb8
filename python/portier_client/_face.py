"""The common part of the integrations: options, hooks, and the responses to the steps of a flow.

An integration passes requests to a flow. Then :func:`answer` runs the hooks of the site for the
step, and makes the response.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Generic, Protocol, TypedDict, TypeVar, cast
from urllib.parse import unquote

from .errors import ConfigError, LoginRefused
from .web import BrowserBinding, Flow, LoginFlow, Problem, Session, Step

_Response = TypeVar("_Response")
_Flow = TypeVar("_Flow")

Hook = Callable[..., Any]
"""A function of the site, ``async`` or not."""


class FlowOptions(TypedDict, total=False):
    """The options of :class:`portier_client.web.LoginFlow`, which describes them."""

    flow: Flow
    browser_binding: BrowserBinding
    login_url: str | None
    default_next: str | None
    allowed_hosts: Iterable[str]
    identity_providers: Iterable[str]
    callback_path: str | None
    form_token_checked: bool
    languages: Iterable[str]
    texts: Mapping[str, Mapping[str, str]]
    secret: str | bytes | Iterable[str | bytes] | None
    session_max_age: float | timedelta
    session_absolute_max_age: float | timedelta
    accept: Callable[[Session], bool | Awaitable[bool]] | None


class SiteOptions(FlowOptions, total=False):
    """The options of an integration: hooks and paths, and those of the flow."""

    on_login: Hook | None
    on_login_error: Hook | None
    show_problem: Hook | None
    show_confirmation: Hook | None
    login_path: str | None
    logout_path: str | None
    health_path: str | None


class Framework(Protocol[_Response]):
    """How responses are made in a framework."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> _Response:
        """Make a response. ``headers`` may contain several ``set-cookie``."""

    def to_response(self, answer: object) -> _Response:
        """Return the response that a hook has returned; raise ``TypeError`` if it is none."""

    def status(self, response: _Response) -> int:
        """Return the status of a response."""

    def add_cookies(self, response: _Response, cookies: Iterable[str]) -> None:
        """Add values of ``Set-Cookie`` to those of a response."""


class Hooks:
    """The hooks of a site. Each is called with the arguments of the integration and its subject.

    Each may return a response, which is sent instead of the flow's. Those that show pages may also
    return the page as ``str``.
    """

    __slots__ = ("on_login", "on_login_error", "show_confirmation", "show_problem")

    def __init__(
        self,
        *,
        on_login: Hook | None = None,
        on_login_error: Hook | None = None,
        show_problem: Hook | None = None,
        show_confirmation: Hook | None = None,
        has_sessions: bool = False,
    ) -> None:
        """Check the hooks. ``has_sessions``: whether people stay signed in without ``on_login``."""
        if on_login is None and not has_sessions:
            raise ConfigError(
                "on_login is missing: it signs people in; or give a secret, for sessions",
                code="invalid_option",
            )
        self.on_login = on_login
        self.on_login_error = on_login_error
        self.show_problem = show_problem
        self.show_confirmation = show_confirmation
        for name in self.__slots__:
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise TypeError(f"{name} must be a function, not {type(hook).__name__}")

    @classmethod
    def of(cls, options: Mapping[str, Any], *, has_sessions: bool) -> Hooks:
        """Take the hooks from options."""
        given = {name: options.get(name) for name in cls.__slots__}
        return cls(**given, has_sessions=has_sessions)

    def wrapped(self, wrap: Callable[[Hook], Hook]) -> Hooks:
        """Return the same hooks, each inside of another function."""
        hooks = {name: getattr(self, name) for name in self.__slots__}
        given = {name: wrap(hook) for name, hook in hooks.items() if hook is not None}
        return Hooks(**given, has_sessions=True)


_OF_SITE = SiteOptions.__annotations__.keys() - FlowOptions.__annotations__.keys()


class Held:
    """Arguments in an object that does not show them: error trackers keep the locals of frames.

    A request has cookies and a query among its parts.
    """

    __slots__ = ("_arguments",)

    def __init__(self, *arguments: object) -> None:
        self._arguments = arguments

    def call(self, function: Callable[..., _Response], *more: object) -> _Response:
        """Call a function with these arguments, and others behind them."""
        return function(*self._arguments, *more)


class Site(Generic[_Flow]):
    """The login of one site: its flow, its hooks and its paths."""

    def __init__(
        self,
        make_flow: Callable[..., _Flow],
        client: object,
        options: SiteOptions,
        *,
        keeps_people: bool = False,
    ) -> None:
        """Check the options. ``keeps_people``: whether the framework has sessions of its own."""
        self.has_cookie = options.get("secret") is not None
        """Whether the sealed cookie keeps people signed in."""
        has_sessions = self.has_cookie or keeps_people
        self.login_path = options.get("login_path", "/login")
        self.logout_path = options.get("logout_path", "/logout") if has_sessions else None
        self.health_path = options.get("health_path")
        self.flow = make_flow(
            client, **{name: value for name, value in options.items() if name not in _OF_SITE}
        )
        self.hooks = Hooks.of(options, has_sessions=has_sessions)
        # Servers undo the percent encoding of paths.
        self.callback_path = unquote(cast("LoginFlow", self.flow).callback_path)
        check_paths(
            login_path=self.login_path,
            callback_path=self.callback_path,
            logout_path=self.logout_path,
            health_path=self.health_path,
        )

    def answering(self, method: str, paths: tuple[str, str]) -> Any:
        """Return the method of the flow that answers a request; ``None`` for those of the site.

        ``paths`` are the path below the prefix of the application, and the whole path.
        """
        flow = cast("LoginFlow", self.flow)
        if self.callback_path in paths:
            return flow.callback
        if self.login_path in paths and method == "POST":
            return flow.login
        if self.health_path in paths:
            return flow.health
        return flow.logout if self.logout_path in paths else None


def check_paths(**paths: str | None) -> None:
    """Check the paths that an integration answers, by the names of their options."""
    given = {name: path for name, path in paths.items() if path is not None}
    for name, path in given.items():
        if not path.startswith("/"):
            raise ConfigError(
                f"a path must start with a slash option={name}", code="invalid_option"
            )
    if len({*given.values()}) < len(given):
        names = ", ".join(given)
        raise ConfigError(f"two paths are the same options={names}", code="invalid_option")


def due_renewal(session: Session | None, cookies: Iterable[str]) -> list[str]:
    """Return the cookie that renews a session, to be added to those of a response.

    A response that ends the session, or starts another one, stays as it is.
    """
    if session is None or session.renewal is None:
        return []
    name = f"{session.renewal.partition('=')[0]}="
    return [] if any(cookie.startswith(name) for cookie in cookies) else [session.renewal]


async def answer(
    step: Step, hooks: Hooks, framework: Framework[_Response], *arguments: object
) -> _Response:
    """Run the hooks of the site, which may be ``async``, and make the response."""
    held = Held(*arguments)
    del arguments
    return await _respond(step, hooks, framework, held, _finished)


def answer_blocking(
    step: Step, hooks: Hooks, framework: Framework[_Response], *arguments: object
) -> _Response:
    """Run the hooks of the site, which are plain functions, and make the response."""
    held = Held(*arguments)
    del arguments
    # Nothing in it waits, so it needs no event loop.
    running = _respond(step, hooks, framework, held, _plain)
    try:
        running.send(None)
    except StopIteration as end:
        response: _Response = end.value
        return response
    raise AssertionError("nothing in it waits")


async def _finished(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


async def _plain(result: object) -> object:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError("hooks must be plain functions here, not async")
    return result


async def _respond(
    step: Step,
    hooks: Hooks,
    framework: Framework[_Response],
    held: Held,
    finished: Callable[[object], Awaitable[object]],
) -> _Response:
    given: object = None
    try:
        if step.login is not None and hooks.on_login is not None:
            given = await finished(held.call(hooks.on_login, step.login))
    except LoginRefused as refused:
        step = step.refuse(refused)
    reply, page = step.reply, step.page
    if step.login is not None:
        if given is None:
            return framework.respond(reply.status, step.header_list, reply.body)
        response = framework.to_response(given)
        # With an error of the site, nobody was signed in.
        if framework.status(response) < 400:
            framework.add_cookies(response, [*reply.cookies, *step.login_cookies])
        return response
    if step.error is not None and hooks.on_login_error is not None:
        given = await finished(held.call(hooks.on_login_error, step.error))
    if given is None and page is not None:
        show = hooks.show_problem if isinstance(page, Problem) else hooks.show_confirmation
        given = None if show is None else await finished(held.call(show, page))
        if isinstance(given, str):
            # The site's own page has a policy of its own, or none.
            cookies = (("set-cookie", cookie) for cookie in reply.cookies)
            return framework.respond(reply.status, [*reply.headers, *cookies], given)
    if given is None:
        return framework.respond(reply.status, step.header_list, reply.body)
    response = framework.to_response(given)
    framework.add_cookies(response, reply.cookies)
    return response
