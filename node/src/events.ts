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

/** Events that came while a call was being started. */
const early: unknown[] = [];

/** Has the addon collect events for as long as somebody wants them; asked at each call. */
export function followSubscribers(): void {
  if (channel.hasSubscribers) {
    events ??= native.listen(publishEvents);
  } else if (events !== undefined) {
    events.stop();
    events = undefined;
  }
}

/**
 * Publishes what has happened, each event in the context of its call. What a subscriber throws, Node
 * reports; nobody here sees it.
 */
export function publishEvents(): void {
  if (events === undefined) return;
  const taken = [...early.splice(0), ...events.take()];
  for (let place = 0; place < taken.length; place += 2) {
    runFor(taken[place + 1] as number | null, () => channel.publish(taken[place]));
  }
}

/**
 * Publishes what the call did that runs now, before a store is asked for it. What its tasks did waits
 * until the call has its ticket.
 */
export function publishEventsSoFar(): void {
  if (events === undefined) return;
  const taken = events.take();
  for (let place = 0; place < taken.length; place += 2) {
    if (taken[place + 1] === null) channel.publish(taken[place]);
    else early.push(taken[place], taken[place + 1]);
  }
}
