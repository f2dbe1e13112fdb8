"""The page that posts a fragment, which no server ever sees, to the address it came to."""

from __future__ import annotations

import base64
import hashlib

from ._pages import FORM_TARGETS

_SCRIPT = """
const form = document.forms[0];
const answer = new URLSearchParams(location.hash.slice(1));
for (const name of ["id_token", "state", "error", "error_description"]) {
  for (const value of answer.getAll(name)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
}
if (form.elements.length) {
  history.replaceState(null, "", location.pathname + location.search);
  form.submit();
} else {
  document.body.append("This address only takes the end of a sign-in.");
}
"""

PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Signing in</title>
</head>
<body>
<noscript><p>Please turn on JavaScript to sign in.</p></noscript>
<form method="post"></form>
<script>{_SCRIPT}</script>
</body>
</html>
"""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()


PAGE_POLICY = (
    f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'; "
    f"base-uri 'none'; form-action {FORM_TARGETS}; frame-ancestors 'none'"
)
"""The ``Content-Security-Policy`` of the page."""
