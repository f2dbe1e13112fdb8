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

  /** What the clock shows. */
  get now(): number {
    return nativeClock(this).now;
  }

  /** Moves the clock forward. */
  advance(milliseconds: number): void {
    unwrap(nativeClock(this).advance(milliseconds));
  }

  /** Sets the clock, as an administrator does who corrects the time. */
  set(now: number | Date): void {
    unwrap(nativeClock(this).set(Number(now)));
  }
}

/** A network that answers from memory; what it was not given is a 404. */
export class MockTransport {
  /** Makes a network on which there is nothing. */
  constructor() {
    transports.set(this, new native.MockTransport());
  }

  /** Answers requests for `url` with this from now on. */
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

  /** How often `url` was asked for. */
  requests(url: string): number {
    return nativeTransport(this).requests(url);
  }

  /** Lets requests wait from now on. */
  hold(): void {
    nativeTransport(this).hold();
  }

  /** Answers the waiting requests. */
  release(): void {
    nativeTransport(this).release();
  }
}

/** The options of a client, and what a test holds in its hands. */
export interface MockClientOptions extends PortierClientOptions {
  /** The time. */
  clock: ManualClock;
  /** The network. */
  transport: MockTransport;
  /** The random bytes of the first nonces, 24 each; later nonces are 1, 2, 3 and so on. */
  random?: Iterable<Uint8Array> | undefined;
}

/** Makes a client whose time, randomness and network are in the hands of a test. */
export function mockClient({ clock, transport, random, ...options }: MockClientOptions): PortierClient {
  const bytes = Array.from(random ?? []);
  return new PortierClient(options, (checked, store) =>
    unwrap(
      native.createMockClient(
        checked,
        // One of its own goes by the clock.
        options.store === undefined ? undefined : nativeStore(store),
        nativeClock(clock),
        bytes,
        nativeTransport(transport),
        completions,
      ),
    ),
  );
}

/** What the addon knows the clock as. */
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
