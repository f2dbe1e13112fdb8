// A program in which only workers use the addon; run by `workers.test.mjs`. Answers arrive in the process when the
// last worker has ended.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";

const ROUNDS = Number(process.argv[2]);
const PROGRAM = new URL("./worker.mjs", import.meta.url);

let connections = [];
const server = createServer((socket) => {
  socket.on("error", () => {});
  connections.push(socket);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const origin = `http://127.0.0.1:${server.address().port}`;

for (let round = 0; round < ROUNDS; round++) {
  connections = [];
  const worker = new Worker(PROGRAM, { workerData: { task: "wait", origin } });
  await once(worker, "message");
  while (connections.length === 0) await once(server, "connection");
  // By itself, or terminated.
  if (round % 2 === 0) await worker.terminate();
  else {
    worker.postMessage("exit");
    await once(worker, "exit");
  }
  for (const socket of connections) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
  // Nobody continues with an answer for an environment that has ended.
  await Promise.all(connections.map(isClosed));

  const next = new Worker(PROGRAM, { workerData: { task: "log in", email: `a${round}@example.com` } });
  const [[email]] = await Promise.all([once(next, "message"), once(next, "exit")]);
  assert.equal(email, `a${round}@example.com`);
}
server.close();

/** The connection may be closed or reset; `once` would report a reset as a failure. */
function isClosed(socket) {
  return socket.closed || new Promise((closed) => socket.resume().once("close", closed));
}
