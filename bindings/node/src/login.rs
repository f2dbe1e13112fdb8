//! A completed login, in the types of JavaScript.

/// A completed login: the verified address in normalized form; the address as it was typed; the text of the
/// application; the state that came back through the browser; when the token was issued, and when the broker
/// last saw proof of the address, in seconds since 1970; and whether the login was bound to this browser.
///
/// It is an array, because each property of an object takes time.
pub(crate) type Login = (
    String,
    String,
    Option<String>,
    Option<String>,
    f64,
    Option<f64>,
    bool,
);

pub(crate) fn to_js(login: portier_client::Login) -> Login {
    (
        login.email,
        login.email_original,
        login.session,
        login.state,
        login.issued_at,
        login.auth_time,
        login.same_browser,
    )
}
