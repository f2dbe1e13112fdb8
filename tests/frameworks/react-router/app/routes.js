import { index, route } from "@react-router/dev/routes";

export default [
  index("home.jsx"),
  route("members", "members.jsx"),
  ...["login", "logout", "verify"].map((path) => route(path, "login.js", { id: path })),
];
