import { call, opened, unwrap } from "./call.js";
import type { LoginRefused } from "./errors.js";
import type {
  Cancellation,
  NativeClient,
  NativeFacts,
  NativeFlow,
  NativeFlowOptions,
  NativeHead,
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

  /** Runs an operation for a request. There is a promise only if it has to wait. */
  run(
    signal: unknown,
    start: (flow: NativeFlow, cancellation: Cancellation | undefined) => Outcome<NativeStep>,
    head?: NativeHead,
  ): Step | Promise<Step> {
    const step = call(signal, this.#store, (cancellation) => start(this.#flow, cancellation));
    const refuse = ({ code, message }: LoginRefused): NativeStep =>
      this.#flow.refuseAccount(head ?? "", code, message);
    const made = (step: NativeStep): Step => new Step(step, refuse);
    return Array.isArray(step) ? made(step) : step.then(made);
  }

  /** The session in the cookies of a request. */
  session(cookies: NativeHead): Session | null {
    const session = this.#flow.session(cookies);
    return session === null ? null : new Session(session);
  }

  startSession(email: string): [session: Session, setCookie: string] {
    const { session, cookie } = unwrap(this.#flow.startSession(email));
    return [new Session(session), cookie];
  }

  requireLogin(head: NativeHead, page: string): Step {
    return new Step(this.#flow.requireLogin(head, page));
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
