import { defineHandler } from "nitro/h3";

import { auth } from "../lib/auth.js";

export default defineHandler(async ({ req, res }) => {
  const visitor = await auth.requireLogin(req, res.headers);
  return visitor instanceof Response ? visitor : `For ${visitor.email}.`;
});
