//! The second half of a login: from the broker's answer to the reply.

use std::borrow::Cow;

use super::super::callback::{Callback, fields_to_confirm, fields_to_post_again};
use super::super::reply::{Confirmation, Page, Reply, Step};
use super::super::request::{Head, Header};
use super::super::{pages, script, signed_in};
use url::form_urlencoded;

use super::LoginFlow;
use crate::browser::Browser;
use crate::error::{BrowserMismatch, Code, Error};
use crate::session::{CallbackParams, CompleteOptions, Login};
use crate::web::BrowserBinding;

impl LoginFlow {
    pub(super) async fn complete(&self, head: &Head, callback: &Callback) -> Step {
        let Callback {
            params,
            confirmation,
            is_posted_again,
        } = callback;
        let is_posted_again = *is_posted_again;
        if self.options.browser_binding == BrowserBinding::Off {
            let options = CompleteOptions::default();
            return match self.client.complete_in(None, params, &options).await {
                Ok(login) => self.signed_in(head, login, None),
                Err(error) => self.refuse(head, error),
            };
        }
        let known = self.known_secret(head);
        if known.is_none() {
            // A script of another site gets no new secret, because it would replace the browser's own.
            let is_script = head.is_from_script() && head.may_be_from_this_site();
            // The form of another site arrives without our cookies; a link on another site sends
            // them.
            let says_truth = head.method != "POST" || head.may_be_from_this_site();
            let is_once_more = is_posted_again && says_truth;
            if !(is_script || is_once_more) {
                return self.once_more(head, params);
            }
            let has_probe = self.cookies.probe.read(head.get(Header::Cookie)).is_some();
            if confirmation.is_some() || !(is_script || has_probe) {
                let error = Error::new(
                    Code::RequestCookies,
                    "the browser does not keep the cookies of this site, or a proxy removes them",
                );
                return self.refuse_request("complete", head, error);
            }
        }
        // A browser without a secret did not start the login. It gets a secret now.
        let secret = match known.map_or_else(
            || self.new_secret().map(Cow::Owned),
            |known| Ok(Cow::Borrowed(known)),
        ) {
            Ok(secret) => secret,
            Err(error) => return self.refuse_request("complete", head, error),
        };
        let browser = self.client.browser(&secret);
        let browser = browser.as_ref();
        if let Some(next) = self.next_of_signed_in(head, params, browser) {
            self.client.failed("complete", &Error::used(true));
            return script::redirect(head, next).into();
        }
        let mut options = CompleteOptions::in_browser(&secret);
        options.confirmation = confirmation.as_deref();
        // In a box: allocators have blocks of up to a kilobyte at hand, and the whole is larger.
        let outcome = Box::pin(self.client.complete_in(browser, params, &options));
        let mut step = match outcome.await {
            Ok(login) => self.signed_in(head, login, browser),
            // Another request of this browser may have completed the login while this one was on its way, for
            // example in another tab. Then the browser has the proof now.
            Err(error)
                if error.is_of_same_browser() && head.method == "GET" && !is_posted_again =>
            {
                self.once_more(head, params)
            }
            Err(error) => self.not_completed(head, error, params),
        };
        if known.is_none() {
            step.reply
                .cookies
                .push(self.cookies.set(self.cookies.secret, &secret));
        }
        step
    }

    fn signed_in(&self, head: &Head, login: Login, browser: Option<&Browser<'_>>) -> Step {
        let next = login
            .session
            .as_deref()
            .and_then(|page| self.safe_next(page));
        let next = next.unwrap_or_else(|| self.options.default_next.clone());
        let proof = browser.map(|browser| signed_in::prove(browser, &login.session_key, &next));
        let mut step = Step::from(script::redirect(head, next));
        let proof = proof.map(|proof| self.cookies.set(self.cookies.signed_in, &proof));
        step.login_cookies.extend(proof);
        if let Some(sessions) = &self.options.sessions {
            let (session, cookie) = match sessions.start(&login.email) {
                Ok(started) => started,
                Err(error) => return self.refuse_request("complete", head, error),
            };
            step.session = Some(session);
            step.login_cookies.push(cookie);
        }
        step.login = Some(login);
        step
    }

    fn not_completed(&self, head: &Head, error: Error, params: &CallbackParams) -> Step {
        let asks = self.options.browser_binding == BrowserBinding::Confirm;
        match error.browser_mismatch() {
            Some(BrowserMismatch {
                email,
                confirmation: Some(confirmation),
            }) if asks => self.ask(head, email, params, confirmation),
            _ => self.refuse(head, error),
        }
    }

    /// The page of a login that was completed before, if its person was signed in in this browser.
    /// Then this is a reload or a second click. The proof is enough: the process, or the broker, that completed
    /// the login need not be asked.
    fn next_of_signed_in(
        &self,
        head: &Head,
        params: &CallbackParams,
        browser: Option<&Browser<'_>>,
    ) -> Option<String> {
        let proof = self.cookies.signed_in.read(head.get(Header::Cookie))?;
        let login = self.client.login_of(params)?;
        let next = signed_in::check(browser?, &login, proof)?;
        if next == self.options.default_next {
            return Some(next);
        }
        self.safe_next(&next)
    }

    /// Asks the person whether to continue in this browser.
    fn ask(&self, head: &Head, email: &str, params: &CallbackParams, confirmation: &str) -> Step {
        let language = self.language(head);
        let fields = fields_to_confirm(params, confirmation);
        if head.is_from_script() {
            return script::question(language, email, fields).into();
        }
        let page = pages::confirmation(language, email, &fields, &self.options.login_url);
        let mut step = Step::from(Reply::page(200, page.body, page.policy));
        step.page = Some(Page::Confirmation(Confirmation {
            email: email.to_owned(),
            fields,
            language: language.tag().to_owned(),
        }));
        step
    }

    /// The broker's page posts its answer from another site, so our cookies are missing. Our own
    /// page posts the same fields again, with the cookies. A cookie that is set then shows whether
    /// the browser keeps cookies.
    fn once_more(&self, head: &Head, params: &CallbackParams) -> Step {
        let fields = fields_to_post_again(params);
        let mut step = if head.method == "POST" {
            let page = pages::post_again(self.language(head), &fields);
            Step::from(Reply::page(200, page.body, page.policy))
        } else {
            let mut query = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
            query.extend_pairs(fields);
            Step::from(Reply::see_other(query.finish()))
        };
        step.reply
            .cookies
            .push(self.cookies.set(self.cookies.probe, "1"));
        step
    }
}
