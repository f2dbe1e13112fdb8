//! A completed login, in the types of JavaScript.

use napi_derive::napi;

/// A completed login.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Login {
    /// The verified address in normalized form.
    pub email: String,
    /// The address as it was typed.
    pub email_original: String,
    /// The text of the application.
    pub session: Option<String>,
    /// The state that came back through the browser.
    pub state: Option<String>,
    /// Seconds since 1970.
    pub issued_at: f64,
    /// Seconds since 1970.
    pub auth_time: Option<f64>,
    /// Whether the login was bound to this browser.
    pub same_browser: bool,
}

impl From<portier_client::Login> for Login {
    fn from(login: portier_client::Login) -> Self {
        Self {
            email: login.email,
            email_original: login.email_original,
            session: login.session,
            state: login.state,
            issued_at: login.issued_at,
            auth_time: login.auth_time,
            same_browser: login.same_browser,
        }
    }
}
