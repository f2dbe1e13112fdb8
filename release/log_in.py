"""Logs in with the installed package; prints the platform and the address."""

import asyncio
import platform
import sysconfig

from portier_client import Client
from portier_client.testing import DevBroker


async def log_in() -> str:
    """Returns the address that was verified."""
    broker = DevBroker()
    client = Client("https://example.com/verify", broker=broker.origin)
    login = await client.complete(broker.sign_in(await client.authenticate("Alice@example.com")))
    broker.stop()
    return login.email


print(
    f"CPython {platform.python_version()} {sysconfig.get_config_var('SOABI')}",
    asyncio.run(log_in()),
)
