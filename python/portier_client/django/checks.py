"""The system checks of the app: ``manage.py check`` runs them, and so does ``runserver``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.urls import Resolver404, get_script_prefix, resolve, set_script_prefix
from django.utils import translation
from django.utils.module_loading import import_string

from ..errors import ConfigError
from . import conf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig

_GUARD = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_INCLUDE = 'path("accounts/", include("portier_client.django.urls"))'


def register() -> None:
    """Register the checks."""
    checks.register(check_settings, checks.Tags.security)
    checks.register(check_deployment, checks.Tags.security, deploy=True)


def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[checks.CheckMessage]:
    """Check what every site needs."""
    site, messages = _site()
    if site is None:
        return messages
    prefix = _prefix(site)
    messages = [*_callback(site, prefix)]
    with _below(prefix):
        return [
            *_backend(),
            *_middleware(),
            *_user_model(site),
            *messages,
            *_login_page(site),
            *_pages(site, prefix),
            *_host(site),
            *_cookies(site),
            *_policy(site),
        ]


def check_deployment(
    app_configs: Sequence[AppConfig] | None = None, **_: object
) -> list[checks.CheckMessage]:
    """Check what only a deployed site needs: ``manage.py check --deploy``."""
    site, _messages = _site()
    return [] if site is None else [*_https(site), *_store(site)]


def _site() -> tuple[conf.Site | None, list[checks.CheckMessage]]:
    if not getattr(settings, "PORTIER", {}).keys() & {"redirect_uri", "client"}:
        hint = (
            'Set PORTIER = {"redirect_uri": "https://example.com/accounts/verify/"}: the URL of '
            "portier:verify as browsers see it."
        )
        missing = "The setting PORTIER has no redirect_uri."
        return None, [checks.Error(missing, hint=hint, id="portier_client.E001")]
    try:
        site = conf.site()
        site.check()
    except (ConfigError, ImproperlyConfigured, TypeError) as error:
        wrong = f"The setting PORTIER is invalid: {error}"
        return None, [checks.Error(wrong, id="portier_client.E002")]
    return site, []


def _callback(site: conf.Site, prefix: str | None) -> Iterator[checks.CheckMessage]:
    """The path of the redirect URI must be that of the callback."""
    if prefix is None:
        yield checks.Error(
            "The path of redirect_uri is not that of the view portier:verify "
            f"path={_callback_path(site)}",
            hint=(
                f"Add {_INCLUDE} to the URLs of the site, and use the URL of its verify/ as "
                "redirect_uri. If a proxy removes a prefix of the path, set FORCE_SCRIPT_NAME."
            ),
            id="portier_client.E003",
        )
    elif prefix != _known_prefix():
        yield checks.Warning(
            f"Django does not know the prefix in the path of redirect_uri prefix={prefix}",
            hint=(
                f'Set FORCE_SCRIPT_NAME = "{prefix}". If the server passes the prefix with each '
                "request, as SCRIPT_NAME or root_path, only commands and tasks need the setting."
            ),
            id="portier_client.W009",
        )


def _pages(site: conf.Site, prefix: str | None) -> Iterator[checks.CheckMessage]:
    """Below a prefix, a path without it leads to another site on the same host."""
    if not prefix:
        return
    try:
        pages = {"LOGIN_URL": site.login_url, "LOGIN_REDIRECT_URL": site.default_next}
        if settings.LOGOUT_REDIRECT_URL is not None:
            pages["LOGOUT_REDIRECT_URL"] = site.logout_url
    except ConfigError:
        return  # portier_client.E007
    for name, page in pages.items():
        url = urlsplit(unquote(page))
        # If there is no such page below the prefix, another site may be meant.
        if url.netloc or f"{url.path}/".startswith(f"{prefix}/") or _view(url.path) is None:
            continue
        yield checks.Warning(
            f"{name} lacks the prefix in the path of redirect_uri url={page} prefix={prefix}",
            hint=(
                "Django adds the prefix to the names of URLs, but not to paths. Set the name of "
                'the URL, such as LOGIN_URL = "portier:login".'
            ),
            id="portier_client.W010",
        )


def _backend() -> Iterator[checks.CheckMessage]:
    from .backends import PortierBackend

    for path in settings.AUTHENTICATION_BACKENDS:
        backend = import_string(path)
        if isinstance(backend, type) and issubclass(backend, PortierBackend):
            return
    yield checks.Error(
        "AUTHENTICATION_BACKENDS has no PortierBackend, so nobody can log in.",
        hint='Add "portier_client.django.backends.PortierBackend", or your subclass of it.',
        id="portier_client.E004",
    )


def _middleware() -> Iterator[checks.CheckMessage]:
    from django.contrib.auth.middleware import AuthenticationMiddleware
    from django.contrib.sessions.middleware import SessionMiddleware

    for needed in (SessionMiddleware, AuthenticationMiddleware):
        if not any(_is_subclass(path, needed) for path in settings.MIDDLEWARE):
            yield checks.Error(
                f"MIDDLEWARE has no {needed.__name__}, so nobody stays signed in.",
                hint=f'Add "{needed.__module__}.{needed.__name__}".',
                id="portier_client.E005",
            )


def _user_model(site: conf.Site) -> Iterator[checks.CheckMessage]:
    """Without a hook, users are found by their address, and made from it."""
    if site.blocking_hooks.on_user is not None:
        return
    model: Any = get_user_model()
    try:
        field = model._meta.get_field(model.get_email_field_name())
    except FieldDoesNotExist:
        yield checks.Error(
            "The user model has no e-mail field, by which users are found.",
            hint='Set EMAIL_FIELD of the model, or the hook "on_user" of PORTIER.',
            obj=model,
            id="portier_client.E006",
        )
        return
    required = {*model.REQUIRED_FIELDS} - {field.name, model.USERNAME_FIELD}
    if site.creates_users and required:
        names = ", ".join(sorted(required))
        yield checks.Warning(
            f"The user model requires fields that a first login does not know: {names}",
            hint='Set the hook "on_user" of PORTIER, or "create_users": False.',
            obj=model,
            id="portier_client.W001",
        )


def _login_page(site: conf.Site) -> Iterator[checks.CheckMessage]:
    """Pages about problems link to the login page."""
    try:
        url, *_ = urlsplit(unquote(site.login_url)), site.default_next, site.logout_url
    except ConfigError as error:
        yield checks.Error(
            f"A page of the login is unknown: {error}",
            hint=(
                "Correct LOGIN_URL, LOGIN_REDIRECT_URL or LOGOUT_REDIRECT_URL, or the option of "
                "PORTIER."
            ),
            id="portier_client.E007",
        )
        return
    path = url.path.removeprefix(get_script_prefix().rstrip("/"))
    view = None if url.netloc else _wrapped_view(path)
    if not url.netloc and view is None:
        yield checks.Warning(
            f"LOGIN_URL is not the URL of a page url={site.login_url}",
            hint='Set LOGIN_URL = "portier:login", or to the page with your login form.',
            id="portier_client.W002",
        )
    # A subclass may let more pages through.
    if _GUARD in settings.MIDDLEWARE and view and getattr(view, "login_required", True):
        yield checks.Warning(
            "LoginRequiredMiddleware guards the page of LOGIN_URL, so browsers are redirected to "
            f"it without end url={site.login_url}",
            hint="Decorate its view with login_not_required.",
            id="portier_client.W011",
        )


def _host(site: conf.Site) -> Iterator[checks.CheckMessage]:
    """The callback must be among the hosts that Django answers."""
    from django.http.request import validate_host

    host = urlsplit(site.client.redirect_uri).hostname or ""
    # Without hosts, Django's debug mode answers these.
    if not validate_host(host, [*settings.ALLOWED_HOSTS, "localhost", "127.0.0.1"]):
        yield checks.Warning(
            f"ALLOWED_HOSTS does not have the host of redirect_uri host={host}",
            hint="Django answers the callback with 400.",
            id="portier_client.W003",
        )


def _cookies(site: conf.Site) -> Iterator[checks.CheckMessage]:
    if str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict":
        yield checks.Warning(
            'SESSION_COOKIE_SAMESITE is "Strict", so people seem signed out after a login: the '
            "browser comes from the broker, and withholds the cookie.",
            hint='Use "Lax", which is the default.',
            id="portier_client.W004",
        )
    if site.client.redirect_uri.startswith("https:") and not settings.SESSION_COOKIE_SECURE:
        yield checks.Warning(
            "SESSION_COOKIE_SECURE is False, although the site is behind https.",
            hint="Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True.",
            id="portier_client.W005",
        )


def _policy(site: conf.Site) -> Iterator[checks.CheckMessage]:
    """Chromium applies ``form-action`` to the redirects that follow a form."""
    needed = site.check().form_targets
    for name, sources in _form_actions():
        if "*" in sources or "https:" in sources:
            continue
        missing = [source for source in needed if source != "'self'" and source not in sources]
        if missing:
            yield checks.Warning(
                f"form-action of {name} lacks sources that the login form needs: "
                f"{' '.join(missing)}",
                hint="Without them, the button does nothing in Chromium. Add them for the page.",
                id="portier_client.W006",
            )


def _form_actions() -> Iterator[tuple[str, Any]]:
    """The policies in the settings of Django 6, of django-csp 4, and of django-csp 3."""
    for name, members in {
        "SECURE_CSP": getattr(settings, "SECURE_CSP", None),
        "CONTENT_SECURITY_POLICY": getattr(settings, "CONTENT_SECURITY_POLICY", {}).get(
            "DIRECTIVES"
        ),
        "CSP_FORM_ACTION": {"form-action": getattr(settings, "CSP_FORM_ACTION", None)},
    }.items():
        sources = (members or {}).get("form-action")
        if sources is not None:
            yield name, [sources] if isinstance(sources, str) else [*sources]


def _https(site: conf.Site) -> Iterator[checks.CheckMessage]:
    if not site.client.redirect_uri.startswith("https:"):
        yield checks.Warning(
            "The redirect_uri is not https, so others can read logins on their way.",
            hint="Use the https URL of the deployed site.",
            id="portier_client.W007",
        )


def _store(site: conf.Site) -> Iterator[checks.CheckMessage]:
    if site.keeps_logins_in_memory:
        yield checks.Warning(
            "Pending logins are in the memory of one process: with several processes, most logins "
            "fail, and a restart ends them.",
            hint=(
                'Leave out "store" of PORTIER, so that SECRET_KEY seals pending logins, or choose '
                'one that processes share, such as "redis://localhost".'
            ),
            id="portier_client.W008",
        )


def _callback_path(site: conf.Site) -> str:
    return unquote(urlsplit(site.client.redirect_uri).path)


def _prefix(site: conf.Site) -> str | None:
    """The part of the redirect URI's path before the path of the callback.

    ``None`` if that is not the path of the callback, or if Django knows another prefix.
    """
    from . import views

    path = _callback_path(site)
    segments = path.split("/")
    prefixes = ["/".join(segments[:count]) for count in range(1, len(segments))]
    for prefix in [_known_prefix()] if _known_prefix() else prefixes:
        inside = path.removeprefix(prefix) if path.startswith(f"{prefix}/") else ""
        if _view(inside) in {views.verify, views.averify}:
            return prefix
    return None


def _known_prefix() -> str:
    return get_script_prefix().removesuffix("/")


@contextmanager
def _below(prefix: str | None) -> Iterator[None]:
    """Names of URLs have the prefix, as they do in requests."""
    before = get_script_prefix()
    if prefix is not None:
        set_script_prefix(f"{prefix}/")
    try:
        yield
    finally:
        set_script_prefix(before)


def _view(path: str) -> Any:
    """The view for a path, without what wraps it; ``None`` if there is none."""
    view = _wrapped_view(path)
    return view and inspect.unwrap(view)


def _wrapped_view(path: str) -> Any:
    """The view for a path; ``None`` if there is none."""
    # As `LocaleMiddleware` does, for `i18n_patterns`.
    with translation.override(
        translation.get_language_from_path(path) or translation.get_language()
    ):
        try:
            return resolve(path).func
        except Resolver404:
            return None


def _is_subclass(path: str, kind: type) -> bool:
    middleware = import_string(path)
    return isinstance(middleware, type) and issubclass(middleware, kind)
