// A registry on this machine that has the given archives, and nothing else.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** Starts a registry in a thread, so that tests may wait for programs that use it. */
export async function startRegistry(tarballs) {
  const worker = new Worker(new URL(import.meta.url), { workerData: tarballs });
  const [url] = await once(worker, "message");
  return { url, stop: () => worker.terminate() };
}

if (!isMainThread) await serve(workerData);

async function serve(tarballs) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const archives = new Map();
  const documents = new Map();
  for (const tarball of tarballs) {
    const archive = readFileSync(tarball);
    const manifest = JSON.parse(unpack(tarball, "package/package.json"));
    archives.set(`/-/${path.basename(tarball)}`, archive);
    documents.set(`/${manifest.name}`, documentOf(manifest, archive, `${url}/-/${path.basename(tarball)}`));
  }
  server.on("request", (request, response) => {
    const wanted = decodeURIComponent(request.url.split("?")[0]);
    const found = archives.get(wanted) ?? documents.get(wanted);
    response.writeHead(found === undefined ? 404 : 200).end(found ?? "{}");
  });
  parentPort.postMessage(url);
}

function unpack(tarball, name) {
  const { status, stdout, stderr } = spawnSync("tar", ["-xzOf", tarball, name], { encoding: "utf8" });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  return stdout;
}

function documentOf(manifest, archive, tarball) {
  const digest = (algorithm, encoding) => createHash(algorithm).update(archive).digest(encoding);
  const dist = { tarball, integrity: `sha512-${digest("sha512", "base64")}`, shasum: digest("sha1", "hex") };
  const { name, version } = manifest;
  // Some programs do not install what was published a moment ago.
  const published = "2020-01-01T00:00:00.000Z";
  return JSON.stringify({
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: published, modified: published, [version]: published },
  });
}
