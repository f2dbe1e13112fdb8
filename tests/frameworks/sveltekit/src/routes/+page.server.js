import { auth } from "#lib/server/auth.js";

export async function load({ request, url }) {
  const session = await auth.session(request);
  return { email: session?.email, next: url.searchParams.get("next") ?? "" };
}
