import { channel as channelOf } from "node:diagnostics_channel";

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
    events ??= native.listen(publishEvents);
  } else if (events !== undefined) {
    events.stop();
    events = undefined;
  }
}

/** Publishes what has happened. What a subscriber throws, Node reports; nobody here sees it. */
export function publishEvents(): void {
  if (events === undefined) return;
  for (const event of events.take()) channel.publish(event);
}
