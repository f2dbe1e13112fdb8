"""Commands: ``python -m portier_client broker`` and ``python -m portier_client doctor``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

from . import __version__
from .errors import PortierError
from .testing import DevBroker

if TYPE_CHECKING:
    from .testing import Mode


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: the doctor's, or 0 for a broker that was stopped, 1 for none."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["doctor"]:
        from . import doctor

        return doctor.main(given[1:])
    parser = argparse.ArgumentParser(
        prog="python -m portier_client",
        description="Passwordless e-mail login through Portier.",
    )
    parser.add_argument("--version", action="version", version=f"portier-client {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    broker = commands.add_parser(
        "broker",
        help="run a broker on this machine, for development only",
        description="Run a broker on this machine, for development only. It asks for no proof.",
    )
    broker.add_argument(
        "--port", type=port, default=3333, help="the port; 0 chooses a free one (%(default)s)"
    )
    broker.add_argument(
        "--origin", help="the origin under which browsers and sites reach it (http://HOST:PORT)"
    )
    broker.add_argument(
        "--host",
        default="127.0.0.1",
        help="the IP address to listen on (%(default)s); if it is not a loopback address,"
        " other machines can sign in as anyone",
    )
    broker.add_argument("--auto", action="store_true", help="sign in at once, without a page")
    commands.add_parser("doctor", help="find out why logins fail", add_help=False)
    options = parser.parse_args(given)
    return serve(options.port, host=options.host, origin=options.origin, auto=options.auto)


def port(text: str) -> int:
    """Return a port from the command line."""
    number = int(text)
    if not 0 <= number <= 0xFFFF:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535 port={number}")
    return number


def serve(port: int, *, host: str, origin: str | None, auto: bool) -> int:
    """Run the broker until a signal stops it; return the exit status."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        mode: Mode = "accept" if auto else "page"
        broker = DevBroker(host=host, port=port, origin=origin, mode=mode)
    except PortierError as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1
    with broker:
        print(broker.banner, flush=True)
        print("Ctrl-C stops it.", flush=True)
        # On Windows, a wait without a timeout cannot be interrupted.
        while not stopped.wait(1):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
