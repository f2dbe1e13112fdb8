import type { DevBroker } from "./broker.js";

const brokers = new Map<string, DevBroker>();

/** The development brokers of this process that run, by origin. They run until they are stopped, whoever refers to them. */
export const running = {
  add(broker: DevBroker): void {
    brokers.set(broker.origin, broker);
  },

  delete(broker: DevBroker): void {
    if (brokers.get(broker.origin) === broker) brokers.delete(broker.origin);
  },

  get(origin: string): DevBroker | undefined {
    return brokers.get(origin);
  },

  all(): DevBroker[] {
    return [...brokers.values()];
  },
};
