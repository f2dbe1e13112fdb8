//! The options of a case, by their names in the vectors.

use std::time::Duration;

use portier_client::web::{FlowOptions, LoginFlow, SessionOptions};
use portier_client::{Builder, Flow, Result};
use serde_json::{Map, Value};

/// A broker without documents.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Makes a flow with these options, including those of the client.
pub(crate) fn make(given: Map<String, Value>, mut builder: Builder) -> Result<LoginFlow> {
    let mut options = FlowOptions::default();
    options.flow = Some(Flow::Implicit);
    let mut ages = Vec::new();
    let texts = |value: Value| serde_json::from_value(value).unwrap();
    for (name, value) in given {
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "redirect_uri" => {}
            "flow" => {
                options.flow = match text {
                    "auto" => None,
                    "code" => Some(Flow::Code),
                    _ => Some(Flow::Implicit),
                };
            }
            "secret" if value.is_null() => options.session = None,
            "secret" => options.session = Some(SessionOptions::new(vec![text.into()])),
            "session_max_age" | "session_absolute_max_age" => ages.push((name, value)),
            "broker" => builder = builder.broker(NOWHERE),
            "response_mode" => builder = builder.response_mode(text.parse()?),
            "session_ttl" => {
                builder = builder.session_ttl(Duration::from_secs(value.as_u64().unwrap()));
            }
            "browser_binding" => options.browser_binding = text.parse()?,
            "login_url" => options.login_url = value.as_str().map(str::to_owned),
            "default_next" => options.default_next = value.as_str().map(str::to_owned),
            "allowed_hosts" => options.allowed_hosts = texts(value),
            "identity_providers" => options.identity_providers = texts(value),
            "callback_path" => options.callback_path = Some(text.to_owned()),
            "form_token_checked" => options.form_token_checked = value == true,
            "languages" => options.languages = texts(value),
            "texts" => options.texts = serde_json::from_value(value).unwrap(),
            _ => panic!("an option that is unknown: {name}"),
        }
    }
    for (name, value) in ages {
        let session = options.session.as_mut().unwrap();
        let age = Duration::from_secs(value.as_u64().unwrap());
        match name.as_str() {
            "session_max_age" => session.max_age = age,
            _ => session.absolute_max_age = age,
        }
    }
    LoginFlow::new(builder.build()?, options)
}
