import { channel as channelOf } from "node:diagnostics_channel";

import { runFor } from "./context.js";
import { native, type NativeEvents } from "./native.js";

/** What subscribers of the channel `portier-client` get. */
export interface PortierEvent {
  readonly level: "debug" | "info" | "warn" | "error";
  /** The name of the event, always the same. */
  readonly message: string;
  /** What is special about this one. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

const channel = channelOf("portier-client");

let events: NativeEvents | undefined;

/** Has the addon collect events for as long as somebody wants them; asked at each call. */
export function followSubscribers(): void {
  if (channel.hasSubscribers) {
    events ??= native.listen(() => publishEvents(false));
  } else if (events !== undefined) {
    events.stop();
    events = undefined;
  }
}

/**
 * Publishes what has happened, each event in the context of its call. `inCall` says that a call is being
 * made, whose context is that here. What a subscriber throws, Node
 * reports; nobody here sees it.
 */
export function publishEvents(inCall: boolean): void {
  if (events === undefined) return;
  const taken = events.take(inCall);
  for (let place = 0; place < taken.length; place += 2) {
    runFor(taken[place + 1] as number | null, () => channel.publish(taken[place]));
  }
}
