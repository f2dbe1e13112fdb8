import { PortierClient } from "portier-client";
import { portier } from "portier-client/web";

export const auth = portier({
  client: new PortierClient({ redirectUri: `${process.env.ORIGIN}/auth/verify`, broker: process.env.BROKER }),
  secret: process.env.SESSION_SECRET,
  loginUrl: `${process.env.ORIGIN}/`,
  loginPath: "/auth/login",
  logoutPath: "/auth/logout",
});
