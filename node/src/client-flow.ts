import { call, opened, unwrap } from "./call.js";
import type {
  Cancellation,
  NativeClient,
  NativeFacts,
  NativeFlow,
  NativeFlowOptions,
  NativeHeaders,
  NativeStep,
  Outcome,
} from "./native.js";
import { Session } from "./session.js";
import { Step, type Problem, toProblem } from "./step.js";

/** The name of the method that creates a client's part of a flow. */
export const FLOW = Symbol.for("portier-client.flow");

/**
 * A client's part of a {@link LoginFlow}. Its calls, events and errors belong to the client's copy of this package. The
 * flow may be of another copy, which test runners load.
 */
export class ClientFlow {
  readonly #client: () => NativeClient | undefined;
  readonly #store: object;
  readonly #options: NativeFlowOptions;
  #made: { client: NativeClient; flow: NativeFlow; facts: NativeFacts };

  constructor(client: () => NativeClient | undefined, store: object, options: NativeFlowOptions) {
    this.#client = client;
    this.#store = store;
    this.#options = options;
    this.#made = this.#make(opened(client()));
  }

  /** The properties that do not depend on a request. After the client is destroyed, the last known ones. */
  get facts(): NativeFacts {
    if (this.#client() !== undefined) void this.#flow;
    return this.#made.facts;
  }

  /** Runs an operation. */
  async run(
    signal: unknown,
    start: (flow: NativeFlow, cancellation: Cancellation | undefined) => Outcome<NativeStep>,
  ): Promise<Step> {
    return new Step(await call(signal, this.#store, (cancellation) => start(this.#flow, cancellation)));
  }

  /** The session in a `Cookie` header. */
  session(cookie: string): Session | null {
    const session = this.#flow.session(cookie);
    return session === null ? null : new Session(session);
  }

  startSession(email: string): [session: Session, setCookie: string] {
    const { session, cookie } = unwrap(this.#flow.startSession(email));
    return [new Session(session), cookie];
  }

  requireLogin(method: string, headers: NativeHeaders, page: string): Step {
    return new Step(this.#flow.requireLogin(method, headers, page));
  }

  safeNext(page: string): string | null {
    return this.#flow.safeNext(page);
  }

  explain(code: string, brokerError: string | undefined, acceptLanguage: string | undefined): Problem {
    return toProblem(this.#flow.explain(code, brokerError, acceptLanguage));
  }

  /** The flow for the client's current settings. */
  get #flow(): NativeFlow {
    const client = opened(this.#client());
    if (client !== this.#made.client) this.#made = this.#make(client);
    return this.#made.flow;
  }

  #make(client: NativeClient): { client: NativeClient; flow: NativeFlow; facts: NativeFacts } {
    const flow = unwrap(client.loginFlow(this.#options));
    return { client, flow, facts: flow.facts };
  }
}
