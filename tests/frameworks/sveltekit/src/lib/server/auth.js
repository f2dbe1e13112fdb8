import { building } from "$app/env";
import { BROKER, ORIGIN, SESSION_SECRET } from "$app/env/private";
import { PortierClient } from "portier-client";
import { portier } from "portier-client/web";

// The build imports this file as well, without the variables.
export const auth = building
  ? undefined
  : portier({
      client: new PortierClient({ redirectUri: `${ORIGIN}/verify`, broker: BROKER }),
      secret: SESSION_SECRET,
    });
