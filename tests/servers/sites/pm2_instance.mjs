// Serves logins in one of PM2's instances. In cluster mode they share a port, otherwise each has its own.
import { serveLogins } from "./logins.mjs";

const ports = process.env.PORTS.split(",");
serveLogins(ports[process.env.NODE_APP_INSTANCE] ?? ports[0]);
