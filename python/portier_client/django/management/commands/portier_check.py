"""``manage.py portier_check``: whether logins can work."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.management.base import BaseCommand, CommandError

from ....errors import PortierError
from ... import conf
from ...checks import check_settings

__all__ = ["Command"]


class Command(BaseCommand):
    """Checks the settings, and fetches the documents of the broker."""

    help = "Checks the settings of Portier, and whether the broker can be reached."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each check; fail if logins cannot work."""
        messages = check_settings()
        for message in messages:
            is_wrong = message.level >= checks.ERROR
            style = self.style.ERROR if is_wrong else self.style.WARNING
            self.stdout.write(style(str(message)))
        if any(message.level >= checks.ERROR for message in messages):
            raise CommandError("logins cannot work with these settings")
        client = conf.site().blocking_client
        self.stdout.write(f"redirect URI: {client.redirect_uri}")
        self.stdout.write(f"client id:    {client.client_id}")
        self.stdout.write(f"broker:       {client.broker}")
        try:
            document = client.discover()
            keys = client.keys()
        except PortierError as error:
            raise CommandError(f"the broker cannot be used: {error}") from None
        offered = ", ".join(document.get("response_types_supported", []))
        self.stdout.write(f"it offers:    {offered}")
        algorithms = ", ".join(sorted({key.algorithm for key in keys}))
        self.stdout.write(f"keys:         {len(keys)} ({algorithms})")
        self.stdout.write(self.style.SUCCESS("Logins can work."))
