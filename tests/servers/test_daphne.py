"""The server for development of a Django site that has daphne among its apps."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from portier_client.testing import login

from .faces import EXAMPLES
from .running import end, free_port, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from portier_client.testing import DevBroker

ALICE = "alice@example.com"
SETTINGS = """
from reading_room.settings import *

INSTALLED_APPS = ["daphne", *INSTALLED_APPS]
ASGI_APPLICATION = "with_daphne.application"
"""
APPLICATION = """
from django.core.asgi import get_asgi_application

application = get_asgi_application()
"""


def test_runserver_of_daphne_logs_in(broker: DevBroker, tmp_path: Path) -> None:
    (tmp_path / "daphne_settings.py").write_text(SETTINGS)
    (tmp_path / "with_daphne.py").write_text(APPLICATION)
    port = free_port()
    path = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "DJANGO_SETTINGS_MODULE": "daphne_settings",
        "SECRET": "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u",
        "BROKER": broker.origin,
        "DATABASE": str(tmp_path / "db.sqlite3"),
        "PORT": str(port),
    }
    manage = [sys.executable, str(EXAMPLES / "django" / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity=0"], env=environment, check=True)
    log = tmp_path / "log"
    with log.open("wb") as output:
        site = subprocess.Popen(
            [*manage, "runserver", "--noreload", f"localhost:{port}"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def listens() -> bool:
        assert site.poll() is None, log.read_text()
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
        except OSError:
            return False
        return True

    try:
        wait_until(listens, "no server listens")
        page = login(f"http://localhost:{port}", ALICE, next_page="/members")
        assert ALICE in page.text, log.read_text()
        assert "Starting ASGI/Daphne" in log.read_text()
    finally:
        end(site, [])
