import { NextResponse } from "next/server";

import { auth } from "./lib/auth.js";

export const config = { matcher: "/members/:path*" };

/** Lets people pass who are signed in. Others go to the login page, and return after the login. */
export async function proxy(request) {
  const response = NextResponse.next();
  const session = await auth.requireLogin(request, response.headers);
  return session instanceof Response ? session : response;
}
