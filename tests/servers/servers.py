"""The servers, each with two workers and otherwise with its defaults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .running import SITES, Server

NODE = os.environ.get("NODE", "node")
# Apache does not serve as root. In a user namespace, root has another user id and keeps its files.
NOT_ROOT = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
MOD_WSGI = Path(sys.executable).parent / "mod_wsgi-express"
PM2 = Path(__file__).parent / "node_modules/pm2/bin/pm2"


def gunicorn(*options: str, site: str = "wsgi") -> Server:
    def command(ports: list[int]) -> list[str]:
        bind = f"--bind=127.0.0.1:{ports[0]}"
        # Otherwise its control socket would be in the user's home directory.
        words = ["gunicorn", "--workers=2", bind, "--no-control-socket", *options]
        return [sys.executable, "-m", *words, f"{site}:application"]

    return Server(command, reload=None if "--preload" in options else signal.SIGHUP)


def uwsgi(*options: str, workers: int = 2, site: str = "wsgi") -> Server:
    def command(ports: list[int]) -> list[str]:
        program = str(Path(sys.executable).parent / "uwsgi")
        words = [f"--http-socket=127.0.0.1:{ports[0]}", f"--processes={workers}"]
        return [program, f"--virtualenv={sys.prefix}", *words, *options, f"--module={site}"]

    # It restarts on SIGTERM.
    reload = signal.SIGHUP if "--master" in options else None
    return Server(command, stop=signal.SIGINT, reload=reload, workers=workers)


def mod_wsgi() -> Server:
    def command(ports: list[int]) -> list[str]:
        words = ["start-server", "--host=127.0.0.1", f"--port={ports[0]}", "--processes=2"]
        files = ["--server-root={folder}/apache", "--log-to-terminal"]
        return [*NOT_ROOT, str(MOD_WSGI), *words, *files, "--application-type=module", "wsgi"]

    return Server(command, reload=signal.SIGUSR1, repeats=True)


def require_apache() -> None:
    if not MOD_WSGI.exists():
        pytest.skip("there is no Apache with mod_wsgi here")


def module(
    *words: str, reload: signal.Signals | None = None, workers: int = 2, hands_out: bool = False
) -> Server:
    def command(ports: list[int]) -> list[str]:
        return [sys.executable, "-m", *(word.format(port=ports[0]) for word in words)]

    return Server(command, reload=reload, workers=workers, hands_out=hands_out)


def script(name: str, *, ports: int = 1, hands_out: bool = False) -> Server:
    program = sys.executable if name.endswith(".py") else NODE

    def command(_: list[int]) -> list[str]:
        return [program, str(SITES / name)]

    # A signal would reach only the parent.
    return Server(command, stop=None, ports=ports, hands_out=hands_out)


def pm2(site: str, *options: str, ports: int = 1) -> Server:
    def command(_: list[int]) -> list[str]:
        return [NODE, str(PM2), "start", str(SITES / site), "--no-daemon", *options]

    return Server(command, ports=ports, hands_out=True, variables={"PM2_HOME": "{folder}/pm2"})


UVICORN = ("uvicorn", "--host=127.0.0.1", "--port={port}")
HYPERCORN = ("hypercorn", "--bind=127.0.0.1:{port}")
GRANIAN = ("granian", "--host=127.0.0.1", "--port={port}")

SERVERS = {
    "gunicorn": gunicorn(),
    "gunicorn --preload": gunicorn("--preload"),
    "gunicorn gthread": gunicorn("--worker-class=gthread", "--threads=4"),
    "gunicorn gthread --preload": gunicorn("--worker-class=gthread", "--threads=4", "--preload"),
    "gunicorn gevent": gunicorn("--worker-class=gevent"),
    "gunicorn gevent --preload": gunicorn("--worker-class=gevent", "--preload"),
    "gunicorn uvicorn": gunicorn("--worker-class=uvicorn.workers.UvicornWorker", site="asgi"),
    "uwsgi": uwsgi(),
    "uwsgi --master": uwsgi("--master"),
    "uwsgi --enable-threads": uwsgi("--master", "--enable-threads"),
    "uwsgi --threads": uwsgi("--master", "--threads=2"),
    "uwsgi --lazy-apps": uwsgi("--master", "--lazy-apps"),
    "mod_wsgi": mod_wsgi(),
    "uvicorn": module(*UVICORN, "--workers=2", "asgi:application", reload=signal.SIGHUP),
    "hypercorn": module(*HYPERCORN, "--workers=2", "asgi:application"),
    # The system distributes connections to its workers.
    "granian": module(
        *GRANIAN, "--workers=2", "--interface=asgi", "asgi:application", hands_out=True
    ),
    "granian wsgi": module(
        *GRANIAN, "--workers=2", "--interface=wsgi", "wsgi:application", hands_out=True
    ),
    "tornado": script("tornado_forks.py"),
    "node cluster": script("node_cluster.mjs", hands_out=True),
    "node worker_threads": script("node_threads.mjs", ports=2, hands_out=True),
    "pm2 cluster": pm2("pm2_instance.mjs", "--instances=2"),
    "pm2 fork": pm2("pm2_fork.config.cjs", ports=2),
}

if subprocess.run([*NOT_ROOT, "true"], check=False, capture_output=True).returncode != 0:
    # Apache does not serve as root, and this kernel has no user namespaces.
    del SERVERS["mod_wsgi"]

# They replace a worker after this number of requests.
RECYCLING = {
    "gunicorn": gunicorn("--max-requests=20"),
    "gunicorn --preload": gunicorn("--max-requests=20", "--preload"),
    "gunicorn gthread": gunicorn("--max-requests=20", "--worker-class=gthread", "--threads=4"),
    "gunicorn gevent": gunicorn("--max-requests=20", "--worker-class=gevent"),
    "gunicorn uvicorn": gunicorn(
        "--max-requests=20", "--worker-class=uvicorn.workers.UvicornWorker", site="asgi"
    ),
}
