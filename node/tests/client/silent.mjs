// A server that accepts requests and never answers.
import { once } from "node:events";
import { createServer } from "node:net";

/** Starts one; it does not keep the process alive. */
export async function silentServer() {
  const server = createServer((socket) => socket.on("error", () => {}));
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}
