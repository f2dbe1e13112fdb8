"""The site in the README works unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from portier_client import Client

from ..examples import examples_in, section_of

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Visitor

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_site_in_the_readme_signs_people_in(
    visitor: Visitor, serve: Serve, broker: DevBroker
) -> None:
    section = section_of(README.read_text(encoding="utf-8"), "Python")
    (source,) = examples_in(section, str(README))
    names: dict[str, Any] = {"__name__": "readme"}
    exec(source, names)
    make_app = names["make_app"]

    site = serve(lambda origin: make_app(Client(f"{origin}/verify", broker=broker.origin)))
    asked = visitor.submit(visitor.get(f"{site}/"), email="Alice@Example.com")
    signed_in = visitor.submit(asked, answer="continue")

    assert signed_in.url == f"{site}/"
    assert "You are alice@example.com." in signed_in.text
