// A site whose client has a memory store, for `deno serve --parallel`.
import { PortierClient } from "portier-client";

new PortierClient({ redirectUri: "https://example.com/verify", store: "memory:" });

export default { fetch: () => new Response() };
