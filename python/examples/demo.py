"""Serves an example with a development broker, until Ctrl-C.

    python demo.py starlette --port 8888
    python demo.py django --store sqlite:////tmp/logins.db

An example is a program `NAME/app.py`, which reads its settings from the environment, see
`shared/example.py`, and prints where to open it.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from portier_client import Client, ConfigError
from portier_client.testing import DevBroker

HERE = Path(__file__).parent
EXAMPLES = sorted(path.parent.name for path in HERE.glob("*/app.py"))


def main() -> int:
    """Returns the exit status: 0 if it was stopped, 1 if it could not start."""
    arguments = parse_arguments()
    try:
        port = check_port(arguments.port)
        Client(f"http://localhost:{port}/verify", store=arguments.store)
    except (ConfigError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with DevBroker() as broker:
        settings = {"BROKER": broker.origin, "PORT": str(port), "STORE": arguments.store}
        program = [sys.executable, str(HERE / arguments.name / "app.py")]
        print("For development only: the broker asks for no proof. Ctrl-C stops it.", flush=True)
        # Ctrl-C reaches only this process, which then stops the site.
        environment = {**os.environ, **settings}
        with subprocess.Popen(program, env=environment, process_group=0) as site:  # noqa: S603
            try:
                return 1 if site.wait() else 0
            except KeyboardInterrupt:
                site.terminate()
                site.wait()
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An example site, with a development broker.")
    parser.add_argument("name", choices=EXAMPLES, help="the framework")
    parser.add_argument("--port", type=int, default=8888, help="where to serve (%(default)s)")
    parser.add_argument(
        "--store", default="memory:", help="the URL of the store of pending logins (%(default)s)"
    )
    arguments = parser.parse_args()
    if arguments.port not in range(2**16):
        parser.error(f"a port is a number from 0 to 65535 port={arguments.port}")
    return arguments


def check_port(port: int) -> int:
    """Returns the port, or a free one for 0."""
    try:
        with socket.create_server(("localhost", port)) as opened:
            number: int = opened.getsockname()[1]
            return number
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            wrong = f"port {port} is taken; choose another one, such as PORT={port + 1}"
        else:
            wrong = f"port {port} cannot be used: {error.strerror}"
        raise OSError(wrong) from None


if __name__ == "__main__":
    sys.exit(main())
