//! Requests beside the login: who is signed in, pages that need it, refused accounts, signing out, health checks.

use napi::Env;
use napi::bindgen_prelude::Either;
use napi_derive::napi;
use portier_client::{Code, Error};

use crate::call::Outcome;
use crate::failure::{self, Failure};
use crate::session::{PackedSession, StartedSession, packed};
use crate::step::{self, Step};
use crate::web::{LoginFlow, request};

#[napi]
impl LoginFlow {
    /// The session in the cookies of a request, with the cookie that renews it.
    #[napi(catch_unwind)]
    pub fn session(&self, head: String) -> napi::Result<Option<PackedSession>> {
        let visit = self.opened()?.session(&request(&head, None));
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
    pub fn require_login(&self, head: String, page: String) -> napi::Result<Step> {
        let request = request(&head, None);
        Ok(step::to_js(self.opened()?.require_login(&request, &page)))
    }

    /// Answers a completed login whose person the site does not sign in, with the error of a code.
    #[napi(catch_unwind)]
    pub fn refuse_account(
        &self,
        head: String,
        code: String,
        message: String,
    ) -> napi::Result<Step> {
        let code = Code::from_text(&code).unwrap_or(Code::Internal);
        let request = request(&head, None);
        let flow = self.opened()?;
        Ok(step::to_js(
            flow.refuse_account(&request, Error::new(code, message)),
        ))
    }

    /// Ends the session.
    #[napi(catch_unwind)]
    pub fn logout(
        &self,
        env: Env,
        head: String,
        form_token_checked: bool,
    ) -> napi::Result<Outcome<Step>> {
        let request = request(&head, None).with_checked_form_token(form_token_checked);
        self.run(env, None, |flow| async move { flow.logout(request) })
    }

    /// Answers a health check.
    #[napi(catch_unwind)]
    pub fn health(&self, env: Env, head: String) -> napi::Result<Outcome<Step>> {
        let request = request(&head, None);
        self.run(env, None, |flow| async move { flow.health(&request) })
    }
}
