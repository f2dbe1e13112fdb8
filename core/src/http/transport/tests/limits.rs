//! Limits of size and time.

use super::super::BODY_LIMIT;
use super::*;

#[tokio::test]
async fn the_largest_body_is_read_and_a_larger_one_refused() {
    let body = "x".repeat(BODY_LIMIT);
    let (result, _) = outcome([Act::Say(answer(200, "", &body))], PATIENT).await;
    assert_eq!(result.unwrap().body.len(), BODY_LIMIT);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}x\r\n0\r\n\r\n",
        BODY_LIMIT + 1
    );
    for too_large in [
        answer(200, "", &format!("{body}x")),
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}x"),
        chunked,
    ] {
        let (result, _) = outcome([Act::Say(too_large)], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerDocument);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("too large"), "{message}");
    }
}

#[tokio::test]
async fn a_body_with_a_too_large_content_length_is_not_read() {
    for length in ["262145", "10737418240", "1000000000000000000"] {
        let said = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let (result, _) = outcome([Act::SayAndWait(said)], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerDocument, "{length}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let said = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let (result, _) = outcome([Act::Babble(said)], PATIENT).await;
    assert_eq!(code(&result), Code::BrokerDocument);
}

#[tokio::test]
async fn the_body_of_an_error_is_not_read() {
    let said = "HTTP/1.1 404 Not Found\r\n\r\n".to_owned();
    let (result, _) = outcome([Act::Babble(said)], PATIENT).await;
    assert_eq!(result.unwrap().status, 404);
}

#[tokio::test]
async fn a_truncated_body_is_refused_even_if_it_parses() {
    let said = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"keys\":[]}".to_owned();
    let (result, server) = outcome([Act::Say(said)], PATIENT).await;
    assert_eq!(code(&result), Code::BrokerDocument);
    assert_eq!(server.requests().len(), 1);
    assert!(result.unwrap_err().to_string().contains("cut off"));
}

#[tokio::test]
async fn bytes_after_the_body_are_ignored() {
    let said = answer(200, "", "{}") + "HTTP/1.1 200 OK\r\n\r\nmore";
    let (result, _) = outcome([Act::Say(said)], PATIENT).await;
    assert_eq!(&result.unwrap().body[..], b"{}");
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}\r\n",
        "2\r\n{}",
        "ffffffffffffffffff\r\n{}",
    ] {
        let said = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        let (result, _) = outcome([Act::Say(said)], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerDocument, "{chunks:?}");
    }
}

#[tokio::test]
async fn headers_are_bounded() {
    let many = "x-header: x\r\n".repeat(1000);
    let large = format!("x-header: {}\r\n", "x".repeat(1024 * 1024));
    for headers in [&many, &large, "x-header: \0\r\n", "x-header x\r\n"] {
        let (result, _) = outcome([Act::Say(answer(200, headers, "{}"))], PATIENT).await;
        assert_eq!(
            result.unwrap_err().code().kind(),
            crate::Kind::BrokerUnavailable
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_an_error() {
    for said in [
        "garbage\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "220 mail ready\r\n",
    ] {
        let (result, _) = outcome([Act::Say(said.to_owned())], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerUnreachable, "{said:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let (result, server) = outcome([Act::SayAndWait(String::new())], HASTY).await;
    assert_eq!(code(&result), Code::BrokerTimeout);
    assert_eq!(server.requests().len(), 1);
    let error = result.unwrap_err();
    assert!(error.to_string().ends_with("timeout=0.5s"), "{error}");
}

#[tokio::test]
async fn slow_bytes_do_not_extend_the_deadline() {
    let whole = answer(200, "", "{}");
    for drip in [
        Act::Drip(whole.clone()),
        Act::Drip(whole.replace("content-length: 2", "content-length: 0002")),
    ] {
        let (result, _) = outcome([drip], HASTY).await;
        assert_eq!(code(&result), Code::BrokerTimeout);
    }
    let said = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_owned();
    let (result, _) = outcome([Act::SayAndWait(said)], HASTY).await;
    assert_eq!(code(&result), Code::BrokerTimeout);
}

#[tokio::test]
async fn the_retry_shares_the_deadline() {
    let script = [
        Act::Say(answer(503, "", "")),
        Act::SayAndWait(String::new()),
    ];
    let (result, server) = outcome(script, HASTY).await;
    assert_eq!(code(&result), Code::BrokerTimeout);
    assert_eq!(server.requests().len(), 2);
}
