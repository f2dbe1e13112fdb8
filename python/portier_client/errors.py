"""The errors of this package: one class for each way to react.

Every error has a stable ``code`` for programs and a message for developers. The message never
contains a token, a nonce, a key or an e-mail address. The cause of an error is its ``__cause__``.

>>> from portier_client import InvalidEmail, normalize_email
>>> try:
...     normalize_email("nobody")
... except InvalidEmail as error:
...     print(error.code, error.retryable)
invalid_email False
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "BrokerError",
    "BrokerUnavailable",
    "BrowserMismatch",
    "ConfigError",
    "InternalError",
    "InvalidEmail",
    "InvalidRequest",
    "InvalidSession",
    "InvalidToken",
    "LoginRefused",
    "PortierError",
    "SessionUsed",
    "StoreError",
    "TokenExpired",
]


class PortierError(Exception):
    """The base class of all errors of this package.

    ``code`` is one of the stable codes. ``retryable`` says whether the same call may succeed later
    without any change. ``args`` are the message and the code; the class accepts them as arguments.
    """

    code: str
    retryable: bool = False
    _usual_code = "internal"

    def __init__(self, message: str, code: str | None = None) -> None:
        """Make an error with a message for developers; without ``code``, the class's usual one."""
        code = code or self._usual_code
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[object, ...]:
        """Keep all attributes, and causes of this package, when the error is pickled."""
        return _restore, (type(self), self.args, self.__dict__.copy(), _causes(self))


class ConfigError(PortierError):
    """An argument or option of the client is invalid.

    Codes: ``invalid_redirect_uri``, ``invalid_broker``, ``insecure_url``, ``invalid_option``.
    """

    _usual_code = "invalid_option"


class InvalidEmail(PortierError):
    """The address that a person typed is not a valid e-mail address.

    Code: ``invalid_email``. Let the person correct it.
    """

    _usual_code = "invalid_email"


class BrokerError(PortierError):
    """The broker refused the login, or sent a callback without a token.

    Codes: ``broker_error``, ``missing_token``. ``error`` and ``error_description`` are the values
    that the broker sent. They are untrusted: escape them before you show them.
    """

    _usual_code = "broker_error"

    error: str | None
    error_description: str | None

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        error: str | None = None,
        error_description: str | None = None,
    ) -> None:
        """Make an error with a message for developers."""
        super().__init__(message, code)
        self.error = error
        self.error_description = error_description


class BrokerUnavailable(PortierError):
    """The broker's metadata or keys could not be fetched. Retryable.

    Codes: ``broker_timeout``, ``broker_unreachable``, ``broker_status``, ``broker_document``.

    ``status`` is the HTTP status of the broker; only with ``broker_status``. ``retry_after`` is how
    long the client sends no further request for the document, in seconds. Calls until then fail
    with the same error. It is ``None`` if it may send the next one at once.
    """

    _usual_code = "broker_unreachable"
    retryable = True

    status: int | None
    retry_after: float | None

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Make an error with a message for developers."""
        super().__init__(message, code)
        self.status = status
        self.retry_after = retry_after


class InvalidToken(PortierError):
    """The token is invalid for this client. Do not log anybody in with it.

    Codes: ``token_malformed``, ``token_too_large``, ``token_header``, ``token_algorithm``,
    ``token_key_unknown``, ``token_signature``, ``token_issuer``, ``token_audience``,
    ``token_expired``, ``token_not_yet_valid``, ``token_clock``, ``token_claim``, ``code_refused``.

    ``claim`` is the name of the claim because of which the token was refused, such as ``exp``.
    ``reason`` is ``"missing"``, ``"invalid"`` (the wrong type or format) or ``"check_failed"``
    (another value than the client expects). Both are ``None`` if no claim is wrong.
    """

    _usual_code = "token_malformed"

    claim: str | None
    reason: str | None

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        claim: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Make an error with a message for developers."""
        super().__init__(message, code)
        self.claim = claim
        self.reason = reason


class TokenExpired(InvalidToken):
    """The token has expired.

    Code: ``token_expired``. Let the person start again.
    """

    _usual_code = "token_expired"


class InvalidSession(PortierError):
    """The token is valid, but it belongs to no login that is pending here.

    Codes: ``session_unknown`` (the login was not started here, or has expired),
    ``session_expired``, ``session_sealed`` (no secret of the client opens it), ``session_used``,
    ``session_email``, ``session_browser``.
    """

    _usual_code = "session_unknown"


class SessionUsed(InvalidSession):
    """The login was completed before, for example because a person reloads the page.

    Code: ``session_used``. If ``same_browser`` is true, the login was bound to this browser, so
    the person who tries again is the person who completed it.
    """

    _usual_code = "session_used"

    same_browser: bool

    def __init__(self, message: str, code: str | None = None, same_browser: bool = False) -> None:
        """Make an error with a message for developers."""
        super().__init__(message, code)
        self.args = (*self.args, same_browser)
        self.same_browser = same_browser


class BrowserMismatch(InvalidSession):
    """The login was started in another browser, for example if mail is read on another device.

    Code: ``session_browser``. The login is still pending. ``email`` is the verified address in
    normalized form. Pass ``confirmation`` to ``complete`` to complete the login in this browser; it
    is ``None`` if ``complete`` was called without a secret of this browser. Ask the person first:
    an attacker can make any browser post the token of the attacker's own login.
    """

    _usual_code = "session_browser"

    email: str
    confirmation: str | None

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        email: str = "",
        confirmation: str | None = None,
    ) -> None:
        """Make an error with a message for developers."""
        super().__init__(message, code)
        self.email = email
        self.confirmation = confirmation


class StoreError(PortierError):
    """The store of pending logins failed. Retryable.

    Codes: ``store_unavailable``, ``store_full``, ``store_failed``.
    """

    _usual_code = "store_failed"
    retryable = True


class InvalidRequest(PortierError):
    """A request to the site cannot start or complete a login.

    Codes: ``request_origin`` (the form of another site), ``request_form`` (no URL-encoded form),
    ``request_too_large``, ``request_method`` (not ``POST``), ``request_cookies`` (the browser does
    not keep cookies). Only a :class:`~portier_client.web.LoginFlow` gives these errors.
    """

    _usual_code = "request_form"


class LoginRefused(PortierError):
    """The site refused the person of a completed login.

    A site raises it in ``on_login``: nobody is signed in, and the person sees a page (403) in their
    language. Codes: ``account_refused`` (the account must not sign in; the default),
    ``account_unknown`` (the site has no account with the address).
    """

    _usual_code = "account_refused"

    def __init__(
        self, message: str = "the site refused the login", code: str | None = None
    ) -> None:
        """Make an error with a message for the log, which must not contain the address."""
        super().__init__(message, code)


class InternalError(PortierError):
    """A defect in this package; please report it.

    Code: ``internal``.
    """


CLASSES: dict[str, type[PortierError]] = {
    "invalid_redirect_uri": ConfigError,
    "invalid_broker": ConfigError,
    "insecure_url": ConfigError,
    "invalid_option": ConfigError,
    "invalid_email": InvalidEmail,
    "broker_error": BrokerError,
    "missing_token": BrokerError,
    "broker_timeout": BrokerUnavailable,
    "broker_unreachable": BrokerUnavailable,
    "broker_status": BrokerUnavailable,
    "broker_document": BrokerUnavailable,
    "token_malformed": InvalidToken,
    "token_too_large": InvalidToken,
    "token_header": InvalidToken,
    "token_algorithm": InvalidToken,
    "token_key_unknown": InvalidToken,
    "token_signature": InvalidToken,
    "token_issuer": InvalidToken,
    "token_audience": InvalidToken,
    "token_expired": TokenExpired,
    "token_not_yet_valid": InvalidToken,
    "token_clock": InvalidToken,
    "token_claim": InvalidToken,
    "code_refused": InvalidToken,
    "session_unknown": InvalidSession,
    "session_expired": InvalidSession,
    "session_sealed": InvalidSession,
    "session_used": SessionUsed,
    "session_email": InvalidSession,
    "session_browser": BrowserMismatch,
    "store_unavailable": StoreError,
    "store_full": StoreError,
    "store_failed": StoreError,
    "request_origin": InvalidRequest,
    "request_form": InvalidRequest,
    "request_too_large": InvalidRequest,
    "request_method": InvalidRequest,
    "request_cookies": InvalidRequest,
    "account_unknown": LoginRefused,
    "account_refused": LoginRefused,
    "internal": InternalError,
}
"""The class of each code."""


def _from_native(code: str, message: str, facts: dict[str, Any]) -> PortierError:
    kind: Any = CLASSES[code]
    error: PortierError = kind(message, code=code, **facts)
    return error


def _causes(error: BaseException) -> list[PortierError | str]:
    # Errors of this package with their own causes, and the texts of other exceptions.
    causes: list[PortierError | str] = []
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, PortierError):
            return [*causes, cause]
        if type(cause) is not Exception:
            # A store may raise anything. If it cannot be pickled, the error itself would be lost.
            return causes
        causes.append(str(cause))
        cause = cause.__cause__
    return causes


def _restore(
    kind: type[PortierError],
    args: tuple[object, ...],
    attributes: dict[str, object],
    causes: Sequence[PortierError | str] = (),
) -> PortierError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    last: BaseException = error
    for cause in causes:
        last.__cause__ = Exception(cause) if isinstance(cause, str) else cause
        last = last.__cause__
    return error
