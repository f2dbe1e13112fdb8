//! English.

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Start again",
        Text::ConfirmTitle => "Sign in on this device?",
        Text::ConfirmHeading => "Sign in as {email} on this device?",
        Text::ConfirmWarning => {
            "This sign-in was started in another browser. Continue only if you started it yourself."
        }
        Text::ConfirmYes => "Sign in",
        Text::ConfirmNo => "No, cancel",
        Text::PostTitle | Text::FragmentTitle => "Signing in",
        Text::PostHeading => "One more step",
        Text::PostHint => "Press the button to continue.",
        Text::PostButton => "Continue",
        Text::FragmentNoScript => "Please turn on JavaScript to sign in.",
        Text::FragmentEmpty => "This address is only used to complete a sign-in.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Check the address",
            "This does not look like an e-mail address. Please type it again.",
        ),
        ProblemId::OtherBrowser => (
            "Finish where you began",
            "This sign-in was started in another browser, and can be completed only there.",
        ),
        ProblemId::Used => (
            "This sign-in was already completed",
            "It was completed in this browser or in another one. If you are not signed in here, please \
             start again.",
        ),
        ProblemId::Over => (
            "This sign-in is over",
            "It was already used, or has expired. Please start again.",
        ),
        ProblemId::NotConfirmed => (
            "Sign-in did not work",
            "The login service did not confirm your address. Please start again.",
        ),
        ProblemId::Cancelled => (
            "Sign-in cancelled",
            "Nothing has changed. You can start again.",
        ),
        ProblemId::BrokerUnavailable => (
            "The login service does not answer",
            "Please try again in a moment.",
        ),
        ProblemId::NotPossible => (
            "Sign-in is not possible right now",
            "Please try again in a moment.",
        ),
        ProblemId::ClocksDiffer => (
            "Sign-in is not possible right now",
            "The clock of this site or of the login service is wrong. Please tell the people who \
             run this site, and try again later.",
        ),
        ProblemId::Internal => (
            "Something went wrong",
            "The error is on our side, not on yours. Please try again later.",
        ),
        ProblemId::OtherSite => (
            "Sign-in did not start",
            "The form came from another site. Please start again here.",
        ),
        ProblemId::NotAForm => ("Sign-in did not work", "The request was not a form."),
        ProblemId::TooLarge => ("Sign-in did not work", "The request was too large."),
        ProblemId::PostOnly => (
            "Nothing to see here",
            "This address is only used to sign in and out.",
        ),
        ProblemId::CookiesNeeded => (
            "Cookies are needed",
            "Your browser does not keep the cookies of this site, and signing in needs them. \
             Please allow them and start again.",
        ),
        ProblemId::NotSignedIn => (
            "Please sign in",
            "This page is only for people who are signed in.",
        ),
        ProblemId::AccountUnknown => (
            "No account with this address",
            "Your address is confirmed, but this site has no account for it. Use another address, \
             or contact the people who run this site.",
        ),
        ProblemId::AccountRefused => (
            "This account cannot be used",
            "Your address is confirmed, but this site does not let you sign in. Please contact \
             the people who run this site.",
        ),
    }
}
