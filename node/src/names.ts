/** The names of a client's options. */
export const NAMES = [
  "redirectUri",
  "broker",
  "store",
  "responseMode",
  "leewayMs",
  "leeway",
  "sessionTtlMs",
  "timeoutMs",
  "storeTimeoutMs",
  "algorithms",
  "idp",
  "dangerAllowHttp",
  "caFile",
  "userAgent",
] as const;

/** The names of a login flow's options. */
export const FLOW_NAMES = [
  "browserBinding",
  "loginUrl",
  "defaultNext",
  "allowedHosts",
  "identityProviders",
  "callbackPath",
  "formTokenChecked",
  "languages",
  "texts",
] as const;

/** What the core calls the options that have another name here: `redirect_uri`, `session_ttl`. */
const OWN_NAMES = new Map<string, string>(
  [...NAMES, ...FLOW_NAMES].filter((name) => name !== nameInCore(name)).map((name) => [nameInCore(name), name]),
);

const FIRST_WORD = /^\w+/;
// These are also named in advice.
const ADVISED = /\b(?:ca_file|danger_allow_http)\b/g;

/** Gives a message of the core with the names that options have here; values stay as they are. */
export function withOwnNames(message: string): string {
  // The parameters of a store's URL have the same names in every language.
  if (/^(?:the )?store\b/.test(message)) return message;
  const [facts = ""] = message.split(/ \w+=/, 1);
  const ownName = (name: string): string => OWN_NAMES.get(name) ?? name;
  return facts.replace(FIRST_WORD, ownName).replace(ADVISED, ownName) + message.slice(facts.length);
}

function nameInCore(name: string): string {
  return name.replace(/Ms$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
