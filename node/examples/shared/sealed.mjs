// Pages and hooks of the sites whose sessions are those of the login.
import { confirmationPage, loginPage, problemPage } from "./pages.mjs";

/**
 * The hooks of a site. `viewOf` is given what the hooks are given beside their subject, and says who looks, and where.
 */
export function hooksOf(viewOf) {
  return {
    onLoginError(error) {
      if (error.retryable) console.error(error);
    },
    async showProblem(problem, ...rest) {
      const view = await viewOf(...rest);
      if (problem.id !== "invalid_email") return problemPage(view, problem);
      // The form as it was sent.
      const { typedEmail: email, next } = problem;
      return loginPage(view, { email: email ?? "", next: next ?? "", complaint: "This does not look like an e-mail address." });
    },
    async showConfirmation(question, ...rest) {
      return confirmationPage(await viewOf(...rest), question);
    },
  };
}
