// For `responseMode: "fragment"`: the page that posts a fragment, which no server ever sees, to the
// address it came to.
import { createHash } from "node:crypto";

const SCRIPT = `
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
`;

export const FRAGMENT_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Signing in</title>
</head>
<body>
<noscript><p>Please turn on JavaScript to sign in.</p></noscript>
<form method="post"></form>
<script>${SCRIPT}</script>
</body>
</html>
`;

const HASH = createHash("sha256").update(SCRIPT).digest("base64");

/** The headers in which the page differs from the others. */
export const FRAGMENT_HEADERS = {
  "Content-Security-Policy":
    `default-src 'none'; script-src 'sha256-${HASH}'; ` +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
};
