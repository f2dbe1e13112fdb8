/** The names of a client's options. */
export const NAMES = [
  "redirectUri",
  "broker",
  "store",
  "flow",
  "responseMode",
  "leewayMs",
  "leeway",
  "sessionTtlMs",
  "timeoutMs",
  "storeTimeoutMs",
  "secret",
  "algorithms",
  "idp",
  "dangerAllowHttp",
  "caFile",
  "userAgent",
] as const;

/** The names of a login flow's options. */
export const FLOW_NAMES = [
  "flow",
  "browserBinding",
  "loginUrl",
  "defaultNext",
  "allowedHosts",
  "identityProviders",
  "callbackPath",
  "formTokenChecked",
  "languages",
  "texts",
  "secret",
  "sessionMaxAge",
  "sessionAbsoluteMaxAge",
  "accept",
] as const;

/** The names of a session cookie's options. */
export const SESSION_NAMES = ["secret", "maxAge", "absoluteMaxAge"] as const;

/** The names of options in Node by their names in the core, where these differ: `redirect_uri`, `session_ttl`. */
const NODE_NAMES = new Map<string, string>(
  [...NAMES, ...FLOW_NAMES, ...SESSION_NAMES]
    .filter((name) => name !== nameInCore(name))
    .map((name) => [nameInCore(name), name]),
);

const FIRST_WORD = /^\w+/;
// Messages contain these names also in other places.
const LATER_WORDS = /\b(?:ca_file|danger_allow_http|max_age|absolute_max_age)\b/g;

/** Replaces the core's names of options in a message by those of Node. Values are not changed. */
export function withNodeNames(message: string): string {
  // The parameters of a store's URL have the same names in every language.
  if (/^(?:the )?store\b/.test(message)) return message;
  const [facts = ""] = message.split(/ \w+=/, 1);
  const nodeName = (name: string): string => NODE_NAMES.get(name) ?? name;
  return facts.replace(FIRST_WORD, nodeName).replace(LATER_WORDS, nodeName) + message.slice(facts.length);
}

function nameInCore(name: string): string {
  return name.replace(/Ms$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
