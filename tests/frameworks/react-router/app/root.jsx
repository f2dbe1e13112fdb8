import { Outlet } from "react-router";

import { auth } from "./auth.server.js";

export const middleware = [({ request }, next) => auth.handle(request, next)];

export default function Root() {
  return (
    <html lang="en">
      <body>
        <Outlet />
      </body>
    </html>
  );
}
