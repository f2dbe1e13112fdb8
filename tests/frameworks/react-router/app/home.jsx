import { auth } from "./auth.server.js";

export async function loader({ request }) {
  const session = await auth.session(request);
  return { email: session?.email, next: new URL(request.url).searchParams.get("next") ?? "" };
}

// Forms of HTML: a `Form` of React Router would send a script's request.
export default function Home({ loaderData: { email, next } }) {
  if (email) {
    return (
      <form method="post" action="/logout">
        <p>{`You are ${email}.`}</p>
        <button>Sign out</button>
      </form>
    );
  }
  return (
    <form method="post" action="/login">
      <input type="hidden" name="next" defaultValue={next} />
      <label>
        Your address: <input type="email" name="email" required />
      </label>
      <button>Sign in</button>
    </form>
  );
}
