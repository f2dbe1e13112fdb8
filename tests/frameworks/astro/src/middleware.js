import { auth } from "./lib/auth.js";

export const onRequest = ({ request }, next) => auth.handle(request, next);
