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

/** A clock that stands still until a test moves it. Times are in milliseconds since 1970. */
export class ManualClock {
  /** Makes a clock that shows `now`. */
  constructor(now: number | Date) {
    clocks.set(this, unwrap(native.createManualClock(Number(now))));
  }

  /** The current time of the clock. */
  get now(): number {
    return nativeClock(this).now;
  }

  /** Moves the clock forward. */
  advance(milliseconds: number): void {
    unwrap(nativeClock(this).advance(milliseconds));
  }

  /** Sets the clock, like an administrator who corrects the time. */
  set(now: number | Date): void {
    unwrap(nativeClock(this).set(Number(now)));
  }
}

/** A network that answers from memory; an unknown URL is answered with 404. */
export class MockTransport {
  /** Makes a network without any URLs. */
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

  /** Fails requests for `url` as if the broker could not be reached. */
  fail(url: string): void {
    nativeTransport(this).fail(url);
  }

  /** The number of requests for `url`. */
  requests(url: string): number {
    return nativeTransport(this).requests(url);
  }

  /** Holds requests from now on. */
  hold(): void {
    nativeTransport(this).hold();
  }

  /** Answers the held requests. */
  release(): void {
    nativeTransport(this).release();
  }
}

/** The options of a client, and the parts that the test controls. */
export interface MockClientOptions extends PortierClientOptions {
  /** The clock. */
  clock: ManualClock;
  /** The network. */
  transport: MockTransport;
  /** The random bytes of the first nonces, 24 each; later nonces are 1, 2, 3 and so on. */
  random?: Iterable<Uint8Array> | undefined;
}

/** Makes a client with a clock, random numbers and a network that the test controls. */
export function mockClient({ clock, transport, random, ...options }: MockClientOptions): PortierClient {
  const bytes = Array.from(random ?? []);
  return new PortierClient(options, (checked, store) =>
    unwrap(
      native.createMockClient(
        checked,
        // Its default store uses the clock.
        options.store === undefined ? undefined : nativeStore(store),
        nativeClock(clock),
        bytes,
        nativeTransport(transport),
        completions,
      ),
    ),
  );
}

/** The addon's part of the clock. */
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
