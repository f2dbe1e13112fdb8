// A gateway in front of a function, like Amazon's: requests become events, and results become responses.
import { buffer } from "node:stream/consumers";

const CONTEXT = { functionName: "site", awsRequestId: "11111111-2222-3333-4444-555555555555" };

/** The formats of payloads that a gateway sends. */
export const PAYLOADS = { "payload 1.0": eventOfOne, "payload 2.0": eventOfTwo };

/** Serves a function, with one of the formats and with bodies in base64 or as text. */
export function gateway(handler, toEvent, { base64 }) {
  return async (request, response) => {
    const body = await buffer(request);
    const url = new URL(request.url, "http://gateway");
    const { remoteAddress } = request.socket;
    const event = {
      ...toEvent({ method: request.method, url, headers: request.headers, remoteAddress }),
      body: body.length === 0 ? null : body.toString(base64 ? "base64" : "utf8"),
      isBase64Encoded: base64 && body.length > 0,
    };
    try {
      answer(response, await handler(event, { ...CONTEXT }));
    } catch (error) {
      response.writeHead(502).end(String(error?.stack ?? error));
    }
  };
}

function eventOfOne({ method, url, headers, remoteAddress }) {
  const query = [...url.searchParams];
  return {
    version: "1.0",
    resource: "/{proxy+}",
    httpMethod: method,
    path: url.pathname,
    pathParameters: { proxy: url.pathname.slice(1) },
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: query.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters:
      query.length === 0 ? null : Object.fromEntries(query.map(([name]) => [name, url.searchParams.getAll(name)])),
    stageVariables: null,
    requestContext: {
      httpMethod: method,
      identity: { sourceIp: remoteAddress, userAgent: null },
      path: url.pathname,
      protocol: "HTTP/1.1",
      requestId: CONTEXT.awsRequestId,
      resourcePath: "/{proxy+}",
      stage: "prod",
    },
  };
}

function eventOfTwo({ method, url, headers: { cookie, ...headers }, remoteAddress }) {
  const query = [...url.searchParams];
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookie ? { cookies: cookie.split("; ") } : {}),
    headers,
    ...(query.length === 0 ? {} : { queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      http: { method, path: url.pathname, protocol: "HTTP/1.1", sourceIp: remoteAddress, userAgent: "" },
      requestId: CONTEXT.awsRequestId,
      routeKey: "$default",
      stage: "$default",
    },
  };
}

function answer(response, { statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded }) {
  for (const [name, value] of Object.entries({ ...headers, ...multiValueHeaders })) response.setHeader(name, value);
  if (cookies?.length) response.setHeader("set-cookie", cookies);
  response.writeHead(statusCode).end(Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8"));
}
