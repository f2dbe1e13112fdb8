"""The real broker, as a process on this machine; `make broker` installs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .mail import Mailbox
from .ports import Port
from .program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from .identity_provider import IdentityProvider

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".tools" / "bin" / "portier-broker"
DATA = ROOT / ".tools" / "portier-broker"
SENDMAIL = ROOT / "tests" / "e2e" / "sendmail.sh"

# Otherwise the broker looks for an identity provider of each domain, over the network.
CONFIG = """
[domain_overrides]
"example.com" = []
"""

# A domain whose people the broker redirects to an identity provider.
PROVIDED_DOMAIN = "provided.example"
PROVIDER_CONFIG = """
[[domain_overrides."provided.example"]]
rel = "https://portier.io/specs/auth/1.0/idp"
href = "{origin}"
"""


class Broker:
    """A broker that accepts addresses at example.com, and writes its mails to `mailbox`.

    Sessions and rotating keys are in its memory unless `sqlite` or `redis` says where; keys in
    `keytext`, in PEM, do not rotate. `options` are other settings of the broker without their
    prefix, such as `KEYS_TTL="60"`. `provider` identifies people at `PROVIDED_DOMAIN`. `restart`
    keeps its origin, its mails and what it had stored.
    """

    def __init__(
        self,
        directory: Path,
        *,
        algorithms: Sequence[str] = ("EdDSA", "RS256"),
        sqlite: Path | None = None,
        redis: str | None = None,
        keytext: str | None = None,
        options: Mapping[str, str] | None = None,
        provider: IdentityProvider | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.mailbox = Mailbox(directory / "mail")
        self._port = Port()
        # Not `localhost`, which the sites use: for a browser this is another site.
        self.origin = f"http://127.0.0.1:{self._port.number}"
        self._config = directory / "broker.toml"
        self._environment: dict[str, str] = {}
        config = CONFIG
        if provider is not None:
            config += PROVIDER_CONFIG.format(origin=provider.origin)
            self._environment["SSL_CERT_FILE"] = str(provider.certificate)
        self._config.write_text(config, encoding="utf-8")
        self._settings = self._own_settings(algorithms) | (options or {})
        if keytext is not None:
            self._settings["KEYTEXT"] = keytext
        if sqlite is not None:
            self._settings["SQLITE_DB"] = str(sqlite)
        elif redis is not None:
            self._settings["REDIS_URL"] = redis
        else:
            self._settings["MEMORY_STORAGE"] = "true"
        self._program: Program | None = None

    def start(self) -> None:
        """Start it, and return when it accepts requests."""
        assert self._program is None
        # Without settings of the broker, and without a proxy, from the environment of the tests.
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        settings = {f"BROKER_{name}": value for name, value in self._settings.items()}
        environment = {
            **kept,
            **settings,
            **self._environment,
            "MAILBOX": str(self.mailbox.directory),
            "RUST_LOG": "info",
        }
        self._program = Program(
            [str(BINARY), str(self._config)], environment, ready="Listening on TCP"
        )

    def stop(self) -> None:
        """Stop it, and return when it has ended; does nothing if it does not run."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    def restart(self, **options: str) -> None:
        """Stop and start it, with other settings if some are given."""
        self.stop()
        self._settings.update(options)
        self.start()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this number of lines with a text since its start."""
        assert self._program is not None
        self._program.wait_for(text, times)

    @property
    def log(self) -> str:
        """Its output since the start."""
        return "" if self._program is None else "".join(self._program.printed)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._port.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._port.release()

    def _own_settings(self, algorithms: Sequence[str]) -> dict[str, str]:
        return {
            "LISTEN_IP": "127.0.0.1",
            "LISTEN_PORT": str(self._port.number),
            "PUBLIC_URL": self.origin,
            "DATA_DIR": str(DATA),
            "FROM_ADDRESS": "broker@example.com",
            "SENDMAIL_COMMAND": str(SENDMAIL),
            "ALLOWED_DOMAINS": f"example.com,{PROVIDED_DOMAIN}",
            "ALLOWED_DOMAINS_ONLY": "true",
            "LIMITS": "100000/s",
            "SIGNING_ALGS": ",".join(algorithms),
        }


def is_installed() -> bool:
    """Whether the broker is installed."""
    return BINARY.is_file() and DATA.is_dir()
