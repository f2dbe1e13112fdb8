"""Pages of their own, which load nothing: shared by the integrations with web frameworks."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from ._problems import Problem

FORM_TARGETS = "'self' https:"
"""Where the forms of a page may go from which a login leads on.

Chromium holds a form to this through all redirects that follow it, and where those of the site lead
is the site's affair: to another host of it, or to the client of a single sign-on.
"""


@dataclass(frozen=True, repr=False)
class Confirmation:
    """The question whether a login goes on in a browser that did not start it."""

    email: str
    """Whose login it is. The person may not be that one: an attacker can send any browser here."""

    fields: list[tuple[str, str]]
    """Names and values of the hidden fields of the form that says yes, to be posted to the address
    of the page."""


def problem_page(problem: Problem, start_again: str) -> str:
    """Say what went wrong; serve it with ``PROBLEM_POLICY``."""
    return _page(
        problem.title,
        f"<h1>{escape(problem.title)}</h1>\n<p>{escape(problem.text)}</p>\n"
        f'<a href="{escape(start_again)}">Start again</a>',
    )


def confirmation_page(confirmation: Confirmation, cancel: str) -> str:
    """Ask whether to go on in this browser; serve it with ``CONFIRMATION_POLICY``."""
    return _page(
        "Sign in on this device?",
        f"<h1>Sign in as {escape(confirmation.email)} on this device?</h1>\n"
        "<p>This sign-in was started in another browser. Go on only if it was you who started "
        "it.</p>\n"
        f'<form method="post">\n{hidden(confirmation.fields)}<button>Sign in</button>\n'
        f'<a class="quiet" href="{escape(cancel)}">No, cancel</a>\n</form>',
        _ONCE,
    )


def page_that_posts(fields: Iterable[tuple[str, str]]) -> str:
    """Make a page that posts a form to its own address; serve it with ``POSTING_POLICY``."""
    return _page(
        "Signing in",
        f'<form class="later" method="post">\n{hidden(fields)}<h1>One more step</h1>\n'
        "<p>Press the button to go on.</p>\n<button>Continue</button>\n</form>",
        _POST,
    )


def hidden(fields: Iterable[tuple[str, str]]) -> str:
    """Make the hidden fields of a form."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
        for name, value in fields
    )


# A moment passes before it can be pressed: or the second press of a double click that somebody
# asked for on another page would do it, when that page gives way to this one. And it can be pressed
# once: a second time would give up the answer to the first one, and the cookie in it.
_ONCE = """
const form = document.forms[0];
const button = form.querySelector("button");
let timer;
const wait = () => {
  button.disabled = true;
  clearTimeout(timer);
  timer = setTimeout(() => { button.disabled = false; }, 700);
};
let sent = false;
form.addEventListener("submit", () => { wait(); clearTimeout(timer); sent = true; });
addEventListener("pageshow", () => { wait(); sent = false; });
addEventListener("focus", () => { if (!sent) wait(); });
wait();
"""

# Where it does not run, as under a policy that something in front of the site has added, the button
# is there after a moment.
_POST = """
const form = document.forms[0];
form.parentNode.hidden = true;
form.submit();
"""

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --ground: #f4f6f8;
  --card: #fff; --edge: #dde3e9; --accent: #1f6f5c; --on-accent: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf1; --soft: #9aa7b4;
  --ground: #12171c; --card: #1b2229; --edge: #2c3640; --accent: #5cc3a8; --on-accent: #0c1a16 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { width: 100%; max-width: 27rem; padding: 2.25rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 14px }
main:has(.later) { animation: later 0s 2s backwards }
@keyframes later { from { visibility: hidden } }
@media (scripting: none) { main:has(.later) { animation: none } }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere }
p { margin: 0 0 1.5rem; color: var(--soft) }
a, button { display: inline-block; padding: .6rem 1.1rem; border: 0; border-radius: 9px;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
  text-decoration: none; cursor: pointer }
button:disabled { opacity: .6; cursor: default }
.quiet { background: none; color: var(--soft); font-weight: 400 }
a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
"""


def _page(title: str, main: str, script: str = "") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{main}
</main>
{f"<script>{script}</script>" if script else ""}
</body>
</html>
"""


def _policy(script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(script)}; "
        f"base-uri 'none'; form-action {FORM_TARGETS}; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


PROBLEM_POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The ``Content-Security-Policy`` of the page about a problem."""

CONFIRMATION_POLICY = _policy(_ONCE)
"""The ``Content-Security-Policy`` of the page that asks."""

POSTING_POLICY = _policy(_POST)
"""The ``Content-Security-Policy`` of the page that posts."""
