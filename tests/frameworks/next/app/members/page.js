import { headers } from "next/headers";
import { Suspense } from "react";

import { auth } from "../../lib/auth.js";

export default function Page() {
  return (
    <Suspense>
      <Member />
    </Suspense>
  );
}

async function Member() {
  const session = await auth.session({ headers: await headers() });
  return session && <p>{`For ${session.email}.`}</p>;
}
