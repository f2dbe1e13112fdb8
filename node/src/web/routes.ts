import { invalidOption } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import { optionalText } from "../text.js";
import { pathOfTarget } from "../web-request.js";
import { readOptions, type LoginOptions } from "./options.js";

/** The paths that an integration answers beside the callback, as the server receives them. */
export interface Paths {
  /**
   * The path to which the login form is posted; `/login` by default, none with `null`. Other methods are not answered:
   * the page with the form may be at the same path.
   */
  loginPath?: string | null | undefined;
  /** The path to which the form to sign out is posted, if there is a `secret`; `/logout` by default, none with `null`. */
  logoutPath?: string | null | undefined;
  /** The path of health checks, such as `/healthz`; none by default. */
  healthPath?: string | null | undefined;
}

/** The step of a flow that answers a request. */
export type Route = "login" | "callback" | "logout" | "health";

/** Finds the requests that an integration answers. Paths must match exactly. */
export class Routes {
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(
    { callbackPath }: LoginFlow,
    { loginPath, logoutPath, healthPath }: Record<keyof Paths, string | null>,
  ) {
    const routes = new Map<string, Route>([[callbackPath, "callback"]]);
    for (const [name, path, route] of [
      ["loginPath", loginPath, "login"],
      ["logoutPath", logoutPath, "logout"],
      ["healthPath", healthPath, "health"],
    ] as const) {
      if (path === null) continue;
      if (pathOfTarget(path) !== path || !path.startsWith("/")) throw invalidOption(`${name} is not a path path=${path}`);
      if (routes.has(path)) throw invalidOption(`two routes have the same path path=${path}`);
      routes.set(path, route);
    }
    this.#routes = routes;
  }

  /** `target` is a path, with or without a query, or an absolute URL. */
  find(method: string | undefined, target: string | undefined): Route | undefined {
    const route = target === undefined ? undefined : this.#routes.get(pathOfTarget(target));
    return route === "login" && method !== "POST" ? undefined : route;
  }
}

type Read<Arguments extends unknown[], Answer> = ReturnType<typeof readOptions<Arguments, Answer>>;

/** Checks the options of an integration that finds its requests by their paths. */
export function readSite<Arguments extends unknown[], Answer>(
  options: LoginOptions<Arguments, Answer> & Paths,
): Read<Arguments, Answer> & { routes: Routes } {
  const { paths, ...read } = readPaths(options);
  return { ...read, routes: new Routes(read.flow, paths) };
}

/** Checks the options of an integration that adds routes to a router. */
export function readPaths<Arguments extends unknown[], Answer>(
  options: LoginOptions<Arguments, Answer> & Paths,
): Read<Arguments, Answer> & { paths: Record<keyof Paths, string | null> } {
  // Only own properties, whatever `Object.prototype` has.
  const own = Object.assign(Object.create(null), options) as typeof options;
  const { loginPath, logoutPath, healthPath, ...others } = own;
  const pathOf = (path: unknown, name: string, usual: string | null): string | null =>
    path === null ? null : (optionalText(path, name) ?? usual);
  const read = readOptions(others as LoginOptions<Arguments, Answer>);
  const endPath = pathOf(logoutPath, "logoutPath", "/logout");
  const paths = {
    loginPath: pathOf(loginPath, "loginPath", "/login"),
    logoutPath: read.hasSessions ? endPath : null,
    healthPath: pathOf(healthPath, "healthPath", null),
  };
  return { ...read, paths };
}
