import { auth } from "#lib/server/auth.js";

export const handle = ({ event, resolve }) => auth.handle(event.request, () => resolve(event));
