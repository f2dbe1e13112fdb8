import { headers } from "next/headers";
import { Suspense } from "react";

import { auth } from "../lib/auth.js";

export default function Page({ searchParams }) {
  return (
    <Suspense>
      <Visitor searchParams={searchParams} />
    </Suspense>
  );
}

async function Visitor({ searchParams }) {
  const session = await auth.session({ headers: await headers() });
  const { next } = await searchParams;
  if (session) {
    return (
      <form method="post" action="/auth/logout">
        <p>{`You are ${session.email}.`}</p>
        <button>Sign out</button>
      </form>
    );
  }
  return (
    <form method="post" action="/auth/login">
      <input type="hidden" name="next" defaultValue={next} />
      <label>
        Your address: <input type="email" name="email" required />
      </label>
      <button>Sign in</button>
    </form>
  );
}
