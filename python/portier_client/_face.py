"""The common part of the integrations whose hooks return responses.

An integration passes requests to a flow. Then :func:`answer` runs the hooks of the site for the
step, and makes the response.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypedDict, TypeVar

from .errors import ConfigError
from .web import BrowserBinding, Flow, Problem, Session, Step

_Response = TypeVar("_Response")

Hook = Callable[..., Any]
"""A function of the site, ``async`` or not."""


class FlowOptions(TypedDict, total=False):
    """The options of :class:`portier_client.web.LoginFlow`, which describes them."""

    flow: Flow
    browser_binding: BrowserBinding
    login_url: str
    default_next: str
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

    def wrapped(self, wrap: Callable[[Hook], Hook]) -> Hooks:
        """Return the same hooks, each inside of another function."""
        hooks = {name: getattr(self, name) for name in self.__slots__}
        given = {name: wrap(hook) for name, hook in hooks.items() if hook is not None}
        return Hooks(**given, has_sessions=True)


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


async def answer(
    step: Step, hooks: Hooks, framework: Framework[_Response], *arguments: object
) -> _Response:
    """Run the hooks of the site, which may be ``async``, and make the response."""
    run = _responding(step, hooks, framework, arguments)
    result: object = None
    while True:
        try:
            result = run.send(result)
        except StopIteration as end:
            response: _Response = end.value
            return response
        if inspect.isawaitable(result):
            result = await result


def answer_blocking(
    step: Step, hooks: Hooks, framework: Framework[_Response], *arguments: object
) -> _Response:
    """Run the hooks of the site, which are plain functions, and make the response."""
    run = _responding(step, hooks, framework, arguments)
    result: object = None
    while True:
        try:
            result = run.send(result)
        except StopIteration as end:
            response: _Response = end.value
            return response
        if inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            raise TypeError("hooks must be plain functions here, not async")


def _responding(
    step: Step, hooks: Hooks, framework: Framework[_Response], arguments: tuple[object, ...]
) -> Generator[object, object, _Response]:
    """Yield what each hook returns, to be sent its result; return the response."""
    reply, page = step.reply, step.page
    given: object = None
    if step.login is not None:
        if hooks.on_login is not None:
            given = yield hooks.on_login(*arguments, step.login)
        if given is None:
            return framework.respond(reply.status, step.header_list, reply.body)
        response = framework.to_response(given)
        # With an error of the site, nobody was signed in.
        if framework.status(response) < 400:
            framework.add_cookies(response, [*reply.cookies, *step.login_cookies])
        return response
    if step.error is not None and hooks.on_login_error is not None:
        given = yield hooks.on_login_error(*arguments, step.error)
    if given is None and page is not None:
        show = hooks.show_problem if isinstance(page, Problem) else hooks.show_confirmation
        given = None if show is None else (yield show(*arguments, page))
        if isinstance(given, str):
            # The site's own page has a policy of its own, or none.
            cookies = (("set-cookie", cookie) for cookie in reply.cookies)
            return framework.respond(reply.status, [*reply.headers, *cookies], given)
    if given is None:
        return framework.respond(reply.status, step.header_list, reply.body)
    response = framework.to_response(given)
    framework.add_cookies(response, reply.cookies)
    return response
