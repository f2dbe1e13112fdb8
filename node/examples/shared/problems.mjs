// The error page for failures that are unrelated to a login.
import { STATUS_CODES } from "node:http";

export const NOT_FOUND = { status: 404, title: "Not Found", text: "Please go back and try again." };
export const FORGED = {
  status: 403,
  title: "This form is out of date",
  text: "Please go back, reload the page and try again.",
};

/** Turns an error into text. The text contains nothing of the request. */
export function blame(error) {
  // Frameworks set a status on errors of the sender, such as a body that is too large.
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
