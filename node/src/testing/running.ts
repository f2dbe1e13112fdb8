import type { DevBroker } from "./broker.js";

const brokers = new Map<string, WeakRef<DevBroker>>();

/** The development brokers of this process that run, by origin. A broker that nobody else refers to is not kept. */
export const running = {
  add(broker: DevBroker): void {
    brokers.set(broker.origin, new WeakRef(broker));
  },

  delete(broker: DevBroker): void {
    if (brokers.get(broker.origin)?.deref() === broker) brokers.delete(broker.origin);
  },

  get(origin: string): DevBroker | undefined {
    return brokers.get(origin)?.deref();
  },

  all(): DevBroker[] {
    return [...brokers.values()].flatMap((broker) => broker.deref() ?? []);
  },
};
