// What a person is told when something fails that has nothing to do with a login.
import { STATUS_CODES } from "node:http";

export const NOT_FOUND = { status: 404, title: "Not Found", text: "Please go back and try again." };
export const FORGED = {
  status: 403,
  title: "This form is out of date",
  text: "Please go back, reload the page and try again.",
};

/** Puts an error into words. Nothing of what came with the request is repeated. */
export function blame(error) {
  // Frameworks put a status on what is the sender's fault, such as a body that is too large.
  const status = error?.statusCode;
  if (status >= 400 && status < 500) {
    const title = STATUS_CODES[status] ?? "Bad Request";
    return { status, title, text: "Please go back and try again." };
  }
  return {
    status: 500,
    title: "Something went wrong",
    text: "The error is on our side, not on yours.",
  };
}
