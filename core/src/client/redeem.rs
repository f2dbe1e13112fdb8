//! Redeems a code at the broker for the token.

use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::form_urlencoded;

use super::Inner;
use crate::error::{BrokerAnswer, Code, Error, Result};
use crate::http::{Request, Response};
use crate::json::Object;

impl Inner {
    /// Redeems a code (RFC 6749, section 4.1.3). The request is sent once.
    pub(super) async fn redeem(&self, code: &str, verifier: Option<&str>) -> Result<String> {
        let discovery = self.documents.discovery().await?;
        let endpoint = discovery.code_endpoint().ok_or_else(|| {
            let problem = "the broker's discovery document does not offer the code flow any more";
            Error::new(Code::BrokerDocument, problem)
        })?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let request = Request {
            url: endpoint.clone(),
            headers,
            form: Some(self.token_request(code, verifier)),
        };
        let response = self.transport.send(request).await?;
        match response.status {
            200 => id_token_in(&response),
            400 | 401 => Err(refusal_in(&response)),
            _ => Err(unexpected(&response)),
        }
    }

    fn token_request(&self, code: &str, verifier: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(512));
        form.append_pair("grant_type", "authorization_code");
        form.append_pair("code", code);
        form.append_pair("redirect_uri", &self.config.redirect_uri);
        form.append_pair("client_id", &self.config.client_id);
        if let Some(verifier) = verifier {
            form.append_pair("code_verifier", verifier);
        }
        form.finish()
    }
}

/// The token in the answer (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
fn id_token_in(response: &Response) -> Result<String> {
    let refused = |reason: &str| {
        let text = format!("the broker's answer to the token request is refused: {reason}");
        Error::new(Code::BrokerDocument, text)
    };
    if !is_json(response) {
        return Err(refused("not application/json"));
    }
    let object = Object::parse(&response.body).map_err(refused)?;
    let token = object.get("id_token").and_then(|token| token.as_str());
    token
        .map(str::to_owned)
        .ok_or_else(|| refused("no id_token in it"))
}

/// The error in the answer (RFC 6749, section 5.2).
fn refusal_in(response: &Response) -> Error {
    let object = Object::parse(&response.body)
        .ok()
        .filter(|_| is_json(response));
    let text = |name: &str| {
        let object = object.as_ref()?;
        Some(
            object
                .get(name)?
                .as_str()?
                .chars()
                .take(MAX_ERROR_CHARS)
                .collect::<String>(),
        )
    };
    match text("error") {
        None => unexpected(response),
        Some(error) if error == "invalid_grant" => Error::new(
            Code::CodeRefused,
            "the broker does not redeem the code: it has expired, was redeemed before, or was issued \
             for another request",
        ),
        Some(error) => Error::refused(BrokerAnswer {
            error,
            description: text("error_description"),
        }),
    }
}

/// The maximum length of the broker's error.
const MAX_ERROR_CHARS: usize = 512;

fn unexpected(response: &Response) -> Error {
    Error::new(
        Code::BrokerStatus,
        format_args!(
            "unexpected HTTP status of the broker's answer to the token request status={}",
            response.status
        ),
    )
    .with_status(response.status)
}

fn is_json(response: &Response) -> bool {
    let content_type = response.headers.get(CONTENT_TYPE);
    let text = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}
