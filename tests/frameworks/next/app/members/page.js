import { headers } from "next/headers";
import { redirect } from "next/navigation";

import { auth } from "../../lib/auth.js";

export default async function Page() {
  const session = await auth.session({ headers: await headers() });
  if (!session) redirect("/?next=/members");
  return <p>{`For ${session.email}.`}</p>;
}
