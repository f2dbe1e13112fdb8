//! The sessions of a login flow: who is signed in, pages that need it, and signing out.

use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use portier_client::web::{Body, WebRequest};

use crate::call::Outcome;
use crate::failure::{self, Failure};
use crate::session::{PackedSession, StartedSession, packed};
use crate::web::{LoginFlow, Step, request};

#[napi]
impl LoginFlow {
    /// The session in the `Cookie` header of a request, with the cookie that renews it.
    #[napi(catch_unwind)]
    pub fn session(&self, header: String) -> napi::Result<Option<PackedSession>> {
        let mut request = WebRequest::new("GET", Body::Empty);
        request.set_header("cookie", &header);
        let visit = self.opened()?.session(&request);
        Ok(visit.map(|visit| packed(&visit.session, visit.renewal.as_deref())))
    }

    /// Begins a session outside of a login.
    #[napi(catch_unwind)]
    pub fn start_session(&self, email: String) -> napi::Result<Either<StartedSession, Failure>> {
        let started = self.opened()?.start_session(&email);
        Ok(failure::either(started.map(StartedSession::new)))
    }

    /// Answers a request for a page that needs a login.
    #[napi(catch_unwind)]
    pub fn require_login(
        &self,
        method: String,
        headers: Vec<Option<String>>,
        page: String,
    ) -> napi::Result<Step> {
        let request = request(method, headers, None);
        Ok(self.opened()?.require_login(&request, &page).into())
    }

    /// Ends the session.
    #[napi(catch_unwind)]
    pub fn logout(
        &self,
        env: Env,
        method: String,
        headers: Vec<Option<String>>,
        form_token_checked: bool,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(method, headers, None).with_checked_form_token(form_token_checked);
        self.run(env, None, |flow| async move { flow.logout(request) })
    }
}
