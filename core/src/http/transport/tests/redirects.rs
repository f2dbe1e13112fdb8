//! Redirects of the transport.

use super::*;

fn redirect(status: u16, location: &str) -> Act {
    Act::Say(answer(status, &format!("location: {location}\r\n"), ""))
}

#[tokio::test]
async fn redirects_are_followed_with_the_same_method() {
    for status in [301, 302, 303, 307, 308] {
        let script = [
            redirect(status, "/elsewhere?q=1"),
            Act::Say(answer(200, "", "{}")),
        ];
        let (result, server) = outcome(script, PATIENT).await;
        assert_eq!(result.unwrap().status, 200);
        let request = &server.requests()[1];
        assert!(
            request.starts_with("GET /elsewhere?q=1 HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            !request.to_ascii_lowercase().contains("referer"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let (result, server) = outcome([redirect(302, "/again")], PATIENT).await;
    assert_eq!(code(&result), Code::BrokerDocument);
    assert_eq!(server.requests().len(), 4);
    let error = result.unwrap_err();
    assert!(
        whole(&error).contains("too many redirects"),
        "{}",
        whole(&error)
    );
}

#[tokio::test]
async fn redirects_with_user_information_or_another_scheme_are_refused() {
    for location in [
        "http://someone:word@127.0.0.1/",
        "http://someone@127.0.0.1/",
    ] {
        let (result, server) = outcome([redirect(302, location)], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerDocument, "{location}");
        assert_eq!(server.requests().len(), 1);
        let error = whole(&result.unwrap_err());
        assert!(
            !error.contains("someone") && !error.contains("word"),
            "{error}"
        );
    }
    for location in ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,{}"] {
        let (result, server) = outcome([redirect(302, location)], PATIENT).await;
        assert!(
            !result.is_ok_and(|answer| answer.status == 200),
            "{location}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn plain_http_is_refused_where_https_is_required() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let transport = HttpTransport::new(options("https://127.0.0.1")).unwrap();
    get(&transport, &server.url()).await.unwrap_err();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_without_a_valid_url_is_an_ordinary_answer() {
    let (result, server) = outcome([Act::Say(answer(302, "", ""))], PATIENT).await;
    assert_eq!(result.unwrap().status, 302);
    assert_eq!(server.requests().len(), 1);
}
