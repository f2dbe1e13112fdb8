"""The native half of the package; private."""

from asyncio import Future
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, final, overload

from ._form import Form
from ._login import NativeLogin
from ._native_options import FlowOptions, Options, SessionOptions
from ._request import Headers
from .web import NativeStep

__all__ = [
    "HEADERS",
    "MAX_FORM_BYTES",
    "MAX_RECORD_BYTES",
    "METRICS_CONTENT_TYPE",
    "Client",
    "CoreStore",
    "DevBroker",
    "LoginFlow",
    "ManualClock",
    "MockTransport",
    "Session",
    "SessionCookie",
    "__version__",
    "broker_command",
    "codes",
    "collect_metrics",
    "doctor",
    "exposition",
    "flush_events",
    "mock_client",
    "normalize_email",
    "panic_in_operation",
    "read_headers",
    "safe_next",
    "safe_next_on",
    "target_path",
]

__version__: Final[str]

# The longest str that a store may return.
MAX_RECORD_BYTES: Final[int]
HEADERS: Final[list[str]]
MAX_FORM_BYTES: Final[int]
"""The longest form that a flow reads, in bytes. A longer one is refused with the status 413."""
METRICS_CONTENT_TYPE: Final[str]

_Headers: TypeAlias = list[str | None]

# The values in the order of HEADERS, and the value of content-length.
def read_headers(headers: Headers, /) -> tuple[_Headers, str | None]: ...

@final
class Client:
    """A client of the core.

    Its methods return their answer if it is ready at once, else a future; or they block.
    """

    def __new__(cls, options: Options) -> Client: ...
    @property
    def redirect_uri(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def broker(self) -> str: ...
    @property
    def has_local_store(self) -> bool: ...
    @overload
    def authenticate(
        self,
        email: str | None,
        state: str | None,
        session: str | None,
        browser: str | None,
        blocking: Literal[False] = False,
        /,
    ) -> str | Future[str]: ...
    @overload
    def authenticate(
        self,
        email: str | None,
        state: str | None,
        session: str | None,
        browser: str | None,
        blocking: Literal[True],
        /,
    ) -> str: ...
    @overload
    def verify(self, id_token: str, blocking: Literal[False] = False, /) -> str | Future[str]: ...
    @overload
    def verify(self, id_token: str, blocking: Literal[True], /) -> str: ...
    @overload
    def complete(
        self,
        form: Form,
        browser: str | None,
        confirmation: str | None,
        blocking: Literal[False] = False,
        /,
    ) -> NativeLogin | Future[NativeLogin]: ...
    @overload
    def complete(
        self,
        form: Form,
        browser: str | None,
        confirmation: str | None,
        blocking: Literal[True],
        /,
    ) -> NativeLogin: ...
    @overload
    def discover(self, blocking: Literal[False] = False, /) -> str | Future[str]: ...
    @overload
    def discover(self, blocking: Literal[True], /) -> str: ...
    @overload
    def keys(
        self, blocking: Literal[False] = False, /
    ) -> list[tuple[str, str, int]] | Future[list[tuple[str, str, int]]]: ...
    @overload
    def keys(self, blocking: Literal[True], /) -> list[tuple[str, str, int]]: ...
    @overload
    def key_set(self, blocking: Literal[False] = False, /) -> str | Future[str]: ...
    @overload
    def key_set(self, blocking: Literal[True], /) -> str: ...
    @overload
    def warm(self, blocking: Literal[False] = False, /) -> Future[None] | None: ...
    @overload
    def warm(self, blocking: Literal[True], /) -> None: ...
    def health(self) -> str: ...
    def stats(self) -> str: ...
    def take_requests(self) -> str: ...

@final
class LoginFlow:
    """The web side of a client's logins.

    Its methods return their result if it is ready at once. Otherwise they return an ``asyncio``
    future, or block if ``blocking`` is true.
    """

    def __new__(cls, client: Client, options: FlowOptions) -> LoginFlow: ...
    @overload
    def login(
        self,
        method: str,
        headers: _Headers,
        form_token_checked: bool,
        body: bytes | Form | None,
        blocking: Literal[False] = False,
        /,
    ) -> NativeStep | Future[NativeStep]: ...
    @overload
    def login(
        self,
        method: str,
        headers: _Headers,
        form_token_checked: bool,
        body: bytes | Form | None,
        blocking: Literal[True],
        /,
    ) -> NativeStep: ...
    @overload
    def start(
        self,
        method: str,
        headers: _Headers,
        email: str,
        next: str,
        blocking: Literal[False] = False,
        /,
    ) -> NativeStep | Future[NativeStep]: ...
    @overload
    def start(
        self, method: str, headers: _Headers, email: str, next: str, blocking: Literal[True], /
    ) -> NativeStep: ...
    @overload
    def callback(
        self,
        method: str,
        headers: _Headers,
        form_token_checked: bool,
        body: bytes | Form | None,
        query: str | None,
        blocking: Literal[False] = False,
        /,
    ) -> NativeStep | Future[NativeStep]: ...
    @overload
    def callback(
        self,
        method: str,
        headers: _Headers,
        form_token_checked: bool,
        body: bytes | Form | None,
        query: str | None,
        blocking: Literal[True],
        /,
    ) -> NativeStep: ...
    def health(self, method: str, headers: _Headers, /) -> NativeStep: ...
    def refuse_login(
        self, method: str, headers: _Headers, code: str, message: str, /
    ) -> NativeStep: ...
    def refuse_account(
        self, method: str, headers: _Headers, code: str, message: str, /
    ) -> NativeStep: ...
    def session(self, cookie: str | None, /) -> Session | None: ...
    def start_session(self, email: str, /) -> tuple[Session, str]: ...
    def require_login(self, method: str, headers: _Headers, page: str, /) -> NativeStep: ...
    def logout(self, method: str, headers: _Headers, form_token_checked: bool, /) -> NativeStep: ...
    @property
    def callback_path(self) -> str: ...
    @property
    def form_policy(self) -> str: ...
    @property
    def form_targets(self) -> list[str]: ...
    def explain(
        self, code: str, broker_error: str | None, accept_language: str | None, /
    ) -> tuple[str, int, str, str, int | None, str, str | None, str | None]: ...
    @property
    def is_secure(self) -> bool: ...

@final
class Session:
    """A person who is signed in."""

    @property
    def email(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def signed_in_at(self) -> int: ...
    @property
    def expires_at(self) -> int: ...
    @property
    def renewal(self) -> str | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Session: ...
    def __deepcopy__(self, memo: object, /) -> Session: ...

@final
class SessionCookie:
    """Keeps people signed in with one sealed cookie."""

    def __new__(cls, client: Client, options: SessionOptions) -> SessionCookie: ...
    def start(self, email: str, /) -> tuple[Session, str]: ...
    def read(self, cookie: str | None, /) -> Session | None: ...
    def renew(self, session: Session, /) -> str | None: ...
    def clear(self) -> str: ...

@final
class CoreStore:
    """A store of the core, by its URL; for tests."""

    def __new__(cls, url: str, /) -> CoreStore: ...
    def put(self, nonce: str, record: str, ttl: float, /) -> Future[None] | None: ...
    def take(self, nonce: str, /) -> Future[str | None] | str | None: ...
    def contains(self, nonce: str, /) -> Future[bool] | bool: ...

@final
class DevBroker:
    """The development broker of the core. Other threads run while it signs or generates keys."""

    def __new__(
        cls,
        host: str,
        port: int,
        origin: str | None,
        mode: str,
        keys_lifetime: float,
        clock: ManualClock | None,
        /,
    ) -> DevBroker: ...
    @property
    def origin(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def banner(self) -> str: ...
    @property
    def now(self) -> float: ...
    def freeze_time(self, at: float | None, /) -> None: ...
    def advance_time(self, by: float, /) -> None: ...
    def resume_time(self) -> None: ...
    def set_mode(self, mode: str, /) -> None: ...
    def set_account(self, pattern: str, mode: str, /) -> None: ...
    def next_logins(self, modes: list[str], /) -> None: ...
    def set_reachable(self, reachable: bool, /) -> None: ...
    def inbox(self) -> list[tuple[str, str, str, str, float]]:
        """Each mail's address, site, code, link, and time in seconds since 1970."""

    def clear_inbox(self) -> None: ...
    def reset(self) -> None: ...
    def requests(self) -> dict[str, int]: ...
    def fail_next(
        self,
        path: str,
        requests: int,
        status: int | None,
        delay: float,
        headers: Sequence[tuple[str, str]],
        body: str | None,
        /,
    ) -> None: ...
    def hold(self, path: str, /) -> None: ...
    def release(self, path: str, /) -> None: ...
    def rotate_keys(self) -> None: ...
    def forget_keys(self) -> None: ...
    def key_id(self, key: str, algorithm: str, /) -> str: ...
    def mint(self, options: str, /) -> str: ...
    def sign_in(self, url: str, mode: str, email: str | None, /) -> list[tuple[str, str]]: ...
    def time_signatures(self, tokens: list[str], /) -> float:
        """Return how many seconds AWS-LC takes to verify the signatures of the tokens."""

    def stop(self) -> None: ...

@final
class ManualClock:
    """A clock that stands still until a test moves it. Times are in seconds since 1970."""

    def __new__(cls, now: float, /) -> ManualClock: ...
    @property
    def now(self) -> float:
        """What the clock shows."""

    def advance(self, seconds: float, /) -> None:
        """Move the clock forward by a number of seconds."""

    def set(self, now: float, /) -> None:
        """Set the clock, like an administrator who corrects the time."""

@final
class MockTransport:
    """A network that answers from memory; an unknown URL is answered with 404."""

    def __new__(cls) -> MockTransport: ...
    def respond(
        self,
        url: str,
        body: str | bytes,
        *,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = ...,
    ) -> None:
        """Answer requests for ``url`` with this from now on; headers are pairs."""

    def fail(self, url: str, /) -> None:
        """Fail requests for ``url`` as if the broker could not be reached."""

    def requests(self, url: str, /) -> int:
        """How often ``url`` was requested."""

    def hold(self) -> None:
        """Let requests wait from now on."""

    def release(self) -> None:
        """Answer the waiting requests."""

def mock_client(
    options: Options, clock: ManualClock, random: list[bytes], transport: MockTransport, /
) -> Client:
    """Make a client with the given time, randomness and network."""

def flush_events(timeout: float, /) -> bool:
    """Wait until all background events have been logged; return whether that was in time."""

def panic_in_operation(at_once: bool, /) -> Future[None]:
    """Panic where a defect in the core would: at the first poll, or at a later one."""

def codes() -> list[tuple[str, str, bool, bool]]:
    """All codes with the names of their classes, whether they are retryable and a fault."""

def exposition(clients: Sequence[tuple[str, Client]], /) -> str:
    """The metrics of clients, by their names, in the text format of Prometheus."""

def collect_metrics(clients: Sequence[tuple[str, Client]], /) -> str:
    """The same, as the text of a JSON array."""

def broker_command(arguments: list[str], /) -> tuple[DevBroker | None, int, str, str]:
    """Start a broker by a command line; return it, the exit status, the output and the error."""

def doctor(
    arguments: list[str], reads_environment: bool, versions: list[tuple[str, str]], colours: bool, /
) -> tuple[int, str, str]: ...
def normalize_email(text: str, /) -> str:
    """Normalize an e-mail address, so that equal mailboxes are equal texts."""

def safe_next(text: str, /, allowed_hosts: Sequence[str] = ...) -> str | None:
    """Return the page to go back to after a login if it is safe to redirect to, else ``None``."""

def safe_next_on(site: str, page: str, allowed_hosts: Sequence[str], /) -> str | None: ...
def target_path(target: str, /) -> str:
    """Return the path in the target of a request line, without origin and query."""
