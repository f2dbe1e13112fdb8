import type { ServerResponse } from "node:http";

import type { Face } from "./hooks.js";
import { ResponseTracker } from "./response-tracker.js";

/** The methods of a response of `node:http` and `node:http2` that an answer needs. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  appendHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** How responses of `node:http` are sent. `rawOf` returns the response of Node, if a framework has one of its own. */
export function nodeFace<Response extends NodeResponse>(rawOf: (response: Response) => NodeResponse): Face<Response> {
  const trackerOf = (response: Response): ResponseTracker => ResponseTracker.of(rawOf(response) as ServerResponse);
  return {
    prepare(response, status, headers) {
      response.statusCode = status;
      for (const [name, value] of headers) response.setHeader(name, value);
    },
    addCookies(response, cookies) {
      for (const cookie of cookies) rawOf(response).appendHeader("set-cookie", cookie);
    },
    addCookiesOnceSuccessful(response, cookies) {
      trackerOf(response).cookies = cookies;
    },
    send(response, body) {
      // Not `send()` of Express, which adds an `ETag` and may respond with 304.
      response.end(body);
    },
    async runHook(response, name, hook) {
      const tracker = trackerOf(response);
      tracker.hook = name;
      const result = await hook(response);
      return { answered: tracker.hasBegun, result };
    },
  };
}
