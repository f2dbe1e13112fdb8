import { redirect } from "@sveltejs/kit";

import { auth } from "#lib/server/auth.js";

export async function load({ request, url }) {
  const session = await auth.session(request);
  if (session === null) redirect(303, `/?next=${encodeURIComponent(url.pathname)}`);
  return { email: session.email };
}
