import { page, PAGE_HEADERS, type Answer } from "./answer.js";
import { FORM_TARGETS, makePage } from "./html.js";

/** The page that posts a fragment, which no server ever sees, to the address it came to. */
export function fragmentPage(): Answer {
  const { html, policy } = makePage({
    title: "Signing in",
    body: `<noscript><p>Please turn on JavaScript to sign in.</p></noscript>
<form method="post"></form>`,
    script: SCRIPT,
    formAction: FORM_TARGETS,
  });
  return page(200, html, { ...PAGE_HEADERS, "Content-Security-Policy": policy });
}

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
