import { unwrap } from "../call.js";
import { PortierClient } from "../client.js";
import { native, type NativeClock, type NativeTransport } from "../native.js";
import { completions } from "../completions.js";
import type { PortierClientOptions } from "../options.js";
import { nativeStore } from "../store/built-in.js";

/** Names and values; a name may be repeated. */
export type Headers = readonly (readonly [name: string, value: string])[];

const clocks = new WeakMap<ManualClock, NativeClock>();
const transports = new WeakMap<MockTransport, NativeTransport>();

/** A clock that changes only when a test changes it. Times are in milliseconds since 1970. */
export class ManualClock {
  /** Creates a clock that shows `now`. */
  constructor(now: number | Date) {
    clocks.set(this, unwrap(native.createManualClock(Number(now))));
  }

  /** The time of the clock. */
  get now(): number {
    return nativeClock(this).now;
  }

  /** Moves the clock forward. */
  advance(milliseconds: number): void {
    unwrap(nativeClock(this).advance(milliseconds));
  }

  /** Sets the clock, forward or backward. */
  set(now: number | Date): void {
    unwrap(nativeClock(this).set(Number(now)));
  }
}

/** A network that responds from memory; with status 404 for a URL without a response. */
export class MockTransport {
  /** Creates a network without responses. */
  constructor() {
    transports.set(this, new native.MockTransport());
  }

  /** Sets the response to requests for `url`. */
  respond(
    url: string,
    body: string | Uint8Array,
    { status = 200, headers = [] }: { status?: number; headers?: Headers } = {},
  ): void {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    unwrap(nativeTransport(this).respond(url, bytes, status, headers.map(([name, value]) => [name, value])));
  }

  /** Makes requests for `url` fail as if the broker could not be reached. */
  fail(url: string): void {
    nativeTransport(this).fail(url);
  }

  /** The number of requests for `url`. */
  requests(url: string): number {
    return nativeTransport(this).requests(url);
  }

  /** Makes requests wait. */
  hold(): void {
    nativeTransport(this).hold();
  }

  /** Responds to the requests that wait. */
  release(): void {
    nativeTransport(this).release();
  }
}

/** The options of a client, and the clock, network and randomness of the test. */
export interface MockClientOptions extends PortierClientOptions {
  /** The clock of the client. */
  clock: ManualClock;
  /** The network of the client. */
  transport: MockTransport;
  /** The random bytes of the first nonces, 24 each; later nonces are 1, 2, 3 and so on. */
  random?: Iterable<Uint8Array> | undefined;
}

/** Creates a client whose time, randomness and network a test controls. */
export function mockClient({ clock, transport, random, ...options }: MockClientOptions): PortierClient {
  const bytes = Array.from(random ?? []);
  return new PortierClient(options, (checked, store) =>
    unwrap(
      native.createMockClient(
        checked,
        // Without the option, the client has a memory store that uses the clock.
        options.store === undefined ? undefined : nativeStore(store),
        nativeClock(clock),
        bytes,
        nativeTransport(transport),
        completions,
      ),
    ),
  );
}

/** Returns the addon's part of a clock. */
export function nativeClock(clock: ManualClock): NativeClock {
  return found(clocks.get(clock), "clock is not a ManualClock");
}

function nativeTransport(transport: MockTransport): NativeTransport {
  return found(transports.get(transport), "transport is not a MockTransport");
}

function found<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new TypeError(problem);
  return value;
}
