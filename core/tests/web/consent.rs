//! A site that has changed to a stricter option.

use portier_client::web::{Body, BrowserBinding, FlowOptions, LoginFlow, Page, WebRequest};
use portier_client::{AuthenticateOptions, Code};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::WEB;
use crate::setting::{Mode, Surroundings, make_flow};

#[tokio::test]
async fn a_confirmation_from_before_the_site_requires_the_browser_completes_nothing() {
    let vectors: Value = serde_json::from_str(WEB).unwrap();
    let surroundings = Surroundings::new(&vectors, Mode::Stored).await;
    let (asking, _) = make_flow(&vectors, &Value::Null, &surroundings).unwrap();
    let mut options = FlowOptions::default();
    options.browser_binding = BrowserBinding::Require;
    let strict = LoginFlow::new(asking.client().clone(), options).unwrap();

    let mut start = AuthenticateOptions::for_email("alice@example.com");
    start.browser = Some("a".repeat(43));
    let url = asking.client().authenticate_with(start).await.unwrap();
    let token = surroundings.mint(&json!({}), &url);
    let question = asking
        .callback(posted(&[("id_token".to_owned(), token)]))
        .await;
    let Some(Page::Confirmation(confirmation)) = question.page else {
        panic!("nobody is asked");
    };
    let refused = strict.callback(posted(&confirmation.fields)).await;
    assert_eq!(refused.error.unwrap().code(), Code::SessionBrowser);
    assert!(refused.login.is_none());
    let completed = asking.callback(posted(&confirmation.fields)).await;
    assert!(completed.login.is_some());
}

/// A form that another browser posts than the one that started the login.
fn posted(fields: &[(String, String)]) -> WebRequest {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = WebRequest::new("POST", Body::Bytes(form.into_bytes()));
    request.set_header("content-type", "application/x-www-form-urlencoded");
    request.set_header("cookie", &format!("__Host-portier={}", "b".repeat(43)));
    request
}
