import { defineHandler, html } from "nitro/h3";

import { auth } from "../lib/auth.js";

export default defineHandler(async ({ req, res, url }) => {
  const session = await auth.session(req, res.headers);
  if (session) return html`<p>You are ${session.email}.</p><form method="post" action="/logout"><button>Sign out</button></form>`;
  return html`<form method="post" action="/login">
  <input type="hidden" name="next" value="${url.searchParams.get("next") ?? ""}">
  <label>Your address: <input type="email" name="email" required></label>
  <button>Sign in</button>
</form>`;
});
