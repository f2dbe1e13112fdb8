"""A page of another site that makes the visitor's browser post forms."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADDRESS = "http://elsewhere.example/"


def post_from_elsewhere(
    tab: Page, action: str, fields: dict[str, str], *, framed: bool = False
) -> None:
    """Visits that page, which posts a form at once, in its own tab or into a frame."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    frame = '<iframe name="inside"></iframe>' if framed else ""
    target = 'target="inside"' if framed else ""
    page = f"""<!doctype html><title>Elsewhere</title>{frame}
        <form method="post" action="{escape(action)}" {target}>{inputs}</form>
        <script>document.forms[0].submit()</script>"""
    tab.route(ADDRESS, lambda route: route.fulfill(content_type="text/html", body=page))
    with tab.expect_request(action):
        tab.goto(ADDRESS, wait_until="commit")
    tab.unroute(ADDRESS)
