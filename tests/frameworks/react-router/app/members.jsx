import { auth } from "./auth.server.js";

export async function loader({ request }) {
  const visitor = await auth.requireLogin(request);
  if (visitor instanceof Response) throw visitor;
  return { email: visitor.email };
}

export default function Members({ loaderData: { email } }) {
  return <p>{`For ${email}.`}</p>;
}
