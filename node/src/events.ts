import { channel as channelOf } from "node:diagnostics_channel";

import { runFor } from "./context.js";
import { native, type NativeEvents } from "./native.js";

/** An event that subscribers of the channel `portier-client` get. */
export interface PortierEvent {
  readonly level: "debug" | "info" | "warn" | "error";
  /** The name of the event. */
  readonly message: string;
  /** The details of this event. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

const channel = channelOf("portier-client");

let events: NativeEvents | undefined;

/** Makes the addon collect events while the channel has subscribers. It is called at each call. */
export function followSubscribers(): void {
  if (channel.hasSubscribers) {
    events ??= native.listen(() => publishEvents(false));
  } else if (events !== undefined) {
    events.stop();
    events = undefined;
  }
}

/**
 * Publishes the waiting events, each in the context of its call. With `inCall`, a call is in progress, and the current
 * context belongs to it. If a subscriber throws, Node reports the exception, and this function continues.
 */
export function publishEvents(inCall: boolean): void {
  if (events === undefined) return;
  const taken = events.take(inCall);
  for (let index = 0; index < taken.length; index += 2) {
    runFor(taken[index + 1] as number | null, () => channel.publish(taken[index]));
  }
}
