import { defineHandler } from "nitro/h3";

import { auth } from "../lib/auth.js";

export default defineHandler((event) => auth.handle(event.req));
