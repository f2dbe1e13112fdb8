// A resource route: it has no component, so its responses are sent as they are.
import { auth } from "./auth.server.js";

export const loader = ({ request }) => auth.GET(request);
export const action = ({ request }) => auth.POST(request);
