import { auth } from "../../../lib/auth.js";

export const { GET, POST } = auth;
