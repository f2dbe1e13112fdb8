"""The options of a client, checked for their types; the core checks their values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from typing import Any

    from ._native_options import FlowOptions, Options, SessionOptions
    from ._store import Store

BROKER = "https://broker.portier.io"


def options(
    redirect_uri: str,
    *,
    broker: str,
    store: str | Store | None,
    flow: str,
    response_mode: str,
    leeway: float | timedelta,
    session_ttl: float | timedelta,
    timeout: float | timedelta,
    store_timeout: float | timedelta,
    secret: object,
    algorithms: Iterable[str],
    idp: bool,
    danger_allow_http: bool,
    ca_file: str | os.PathLike[str] | None,
    user_agent: str | None,
) -> Options:
    """Turn the arguments of a client's constructor into what the core takes."""
    return {
        "redirect_uri": _text("redirect_uri", redirect_uri),
        "broker": _text("broker", broker),
        "store": _store(store),
        "flow": _text("flow", flow),
        "response_mode": _text("response_mode", response_mode),
        "leeway": seconds("leeway", leeway),
        "session_ttl": seconds("session_ttl", session_ttl),
        "timeout": seconds("timeout", timeout),
        "store_timeout": seconds("store_timeout", store_timeout),
        "secrets": None if secret is None else _secrets(secret),
        "algorithms": _texts("algorithms", algorithms),
        "idp": _flag("idp", idp),
        "danger_allow_http": _flag("danger_allow_http", danger_allow_http),
        "ca_file": _path("ca_file", ca_file),
        "user_agent": None if user_agent is None else _text("user_agent", user_agent),
    }


def flow_options(
    *,
    flow: str,
    browser_binding: str,
    login_url: str | None,
    default_next: str | None,
    allowed_hosts: Iterable[str],
    identity_providers: Iterable[str],
    callback_path: str | None,
    form_token_checked: bool,
    languages: Iterable[str],
    texts: Mapping[str, Mapping[str, str]],
    secret: object,
    session_max_age: float | timedelta,
    session_absolute_max_age: float | timedelta,
    accept: object,
) -> FlowOptions:
    """Turn the arguments of a flow's constructor into what the core takes."""
    ages = {"max_age": session_max_age, "absolute_max_age": session_absolute_max_age}
    if accept is not None and not callable(accept):
        raise _wrong_type("accept", "a function", accept)
    if accept is not None and secret is None:
        raise _config_error("accept is for sessions: give a secret as well")
    return {
        "session": None if secret is None else session_options(secret, "session_", **ages),
        "flow": _text("flow", flow),
        "browser_binding": _text("browser_binding", browser_binding),
        "login_url": None if login_url is None else _text("login_url", login_url),
        "default_next": None if default_next is None else _text("default_next", default_next),
        "allowed_hosts": _texts("allowed_hosts", allowed_hosts),
        "identity_providers": _texts("identity_providers", identity_providers),
        "callback_path": None if callback_path is None else _text("callback_path", callback_path),
        "form_token_checked": _flag("form_token_checked", form_token_checked),
        "languages": _texts("languages", languages),
        "texts": {language: _mapping("texts", by_id) for language, by_id in _items("texts", texts)},
    }


def session_options(
    secret: object, prefix: str = "", /, **ages: float | timedelta
) -> SessionOptions:
    """Turn the options of sessions into what the core takes."""
    return {
        "secrets": _secrets(secret),
        "max_age": seconds(f"{prefix}max_age", ages["max_age"]),
        "absolute_max_age": seconds(f"{prefix}absolute_max_age", ages["absolute_max_age"]),
    }


def _secrets(given: object) -> list[bytes]:
    if isinstance(given, (str, bytes)):
        return [_secret(given)]
    if not hasattr(given, "__iter__") or isinstance(given, (bytearray, memoryview)):
        raise _wrong_type("secret", "str, bytes or an iterable of these", given)
    return [_secret(one) for one in given]


def _secret(given: object) -> bytes:
    if isinstance(given, str):
        return _text("secret", given).encode()
    if not isinstance(given, bytes):
        raise _wrong_type("secret", "str, bytes or an iterable of these", given)
    return given


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(name, "str", value)
    try:
        value.encode()
    except UnicodeEncodeError:
        message = f"{name} has a lone surrogate"
    else:
        return value
    # Raised out here, because Python's own error would contain the whole text.
    raise _config_error(message)


def _texts(name: str, values: object) -> list[str]:
    # A single str is an iterable of str as well, but never what was meant.
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise _wrong_type(name, "an iterable of str", values)
    return [_text(name, value) for value in values]


def _mapping(name: str, values: object) -> dict[str, str]:
    return {key: _text(name, text) for key, text in _items(name, values)}


def _items(name: str, values: Any) -> Iterable[tuple[str, Any]]:
    if not hasattr(values, "items"):
        raise _wrong_type(name, "a mapping of languages to mappings of ids to str", values)
    return ((_text(name, key), value) for key, value in values.items())


def seconds(name: str, value: object) -> float:
    """Return a length of time in seconds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    from datetime import timedelta

    if isinstance(value, timedelta):
        return value.total_seconds()
    raise _wrong_type(name, "timedelta or a number of seconds", value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(name, "bool", value)
    return value


def _path(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) and not hasattr(value, "__fspath__"):
        raise _wrong_type(name, "str or os.PathLike", value)
    import os

    path = os.fspath(value)
    if not isinstance(path, str):
        raise _wrong_type(name, "str or os.PathLike[str]", value)
    return path


def _store(value: Any) -> str | Store | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _text("store", value)
    if isinstance(value, type):
        raise _config_error("store is a class; give an instance of it")
    if not (callable(getattr(value, "put", None)) and callable(getattr(value, "take", None))):
        # Not the value: it may show a password.
        kind = type(value).__name__
        raise _config_error(f"store is neither None nor a URL nor a Store given={kind}")
    if not callable(getattr(value, "contains", _absent)):
        raise _config_error("store.contains is not a method")
    store: Store = value
    return store


def _absent() -> None:
    pass


def _config_error(message: str) -> Exception:
    from .errors import ConfigError

    return ConfigError(message, code="invalid_option")


def _wrong_type(name: str, expected: str, value: object) -> TypeError:
    return TypeError(f"{name} must be {expected}, not {type(value).__name__}")
