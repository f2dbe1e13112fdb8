"""Commands: ``python -m portier_client broker`` and ``python -m portier_client doctor``."""

from __future__ import annotations

import signal
import sys
import threading

from . import __version__, _native

USAGE = """\
usage: python -m portier_client broker [OPTION]...
       python -m portier_client doctor [OPTION]...

  broker     run a broker on this machine, for development only
  doctor     find out why logins fail
  --version  print the version

A command with --help prints its options.
"""


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: the doctor's, or 0 for a broker that was stopped, 1 for none."""
    match sys.argv[1:] if arguments is None else arguments:
        case ["broker", *rest]:
            return serve(rest)
        case ["doctor", *rest]:
            from . import doctor

            return doctor.main(rest)
        case ["--version"]:
            print(f"portier-client {__version__}")
            return 0
        case ["--help" | "-h"]:
            print(USAGE, end="")
            return 0
        case _:
            print(USAGE, end="", file=sys.stderr)
            return 2


def serve(arguments: list[str]) -> int:
    """Run the broker until a signal stops it; return the exit status."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    broker, status, output, complaint = _native.broker_command(arguments)
    if broker is None:
        sys.stdout.write(output)
        sys.stderr.write(complaint)
        return status
    print(broker.banner, flush=True)
    print("Ctrl-C stops it.", flush=True)
    # On Windows, a wait without a timeout cannot be interrupted.
    while not stopped.wait(1):
        pass
    broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
