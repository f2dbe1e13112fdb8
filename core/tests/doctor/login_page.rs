//! Sites that run, with pages that do not work.

use portier_client::doctor::{FindingId, Report, examine};

use crate::stub::{Answer, healthy, serve};
use crate::{found_in, site};

const FORM: &str =
    r#"<form method="post" action="/login"><input type="email" name="email"></form>"#;

/// What is found on a login page, with a callback that works.
async fn found_on(page: Answer) -> Vec<&'static str> {
    found_with(page, Some(callback())).await
}

fn callback() -> Answer {
    Answer::new(405, "").with("content-type", "application/problem+json")
}

async fn found_with(page: Answer, callback: Option<Answer>) -> Vec<&'static str> {
    beyond_usual(&examined([("/sign-in", page)], callback).await)
}

/// What is found on a site with these pages.
async fn examined<const N: usize>(
    pages: [(&'static str, Answer); N],
    callback: Option<Answer>,
) -> Report {
    let broker = serve(healthy).await;
    let origin = serve(|_| {
        let callback = callback.map(|answer| ("/verify", answer));
        pages.into_iter().chain(callback).collect()
    })
    .await;
    let mut options = site(&broker);
    options.redirect_uri = format!("{origin}/verify");
    options.login_page = Some(format!("{origin}/sign-in"));
    let report = examine(options).await;
    assert!(report.has(FindingId::Broker));
    report
}

fn beyond_usual(report: &Report) -> Vec<&'static str> {
    let usual = ["store.memory", "redirect_uri.address"];
    found_in(report)
        .into_iter()
        .filter(|id| !usual.contains(id))
        .collect()
}

#[tokio::test]
async fn a_page_with_a_form_is_healthy() {
    assert_eq!(found_on(Answer::new(200, FORM)).await, [""; 0]);
    let cookie = "session=1; HttpOnly; SameSite=Lax";
    assert_eq!(
        found_on(Answer::new(200, FORM).with("set-cookie", cookie)).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_page_that_is_not_there_is_found() {
    assert_eq!(found_on(Answer::new(404, "")).await, ["login_page.status"]);
    assert_eq!(found_on(Answer::new(500, "")).await, ["login_page.status"]);
    let broker = serve(healthy).await;
    let mut options = site(&broker);
    options.login_page = Some("http://127.0.0.1:1/login".to_owned());
    assert!(found_in(&examine(options).await).contains("login_page.unreachable"));
}

#[tokio::test]
async fn a_page_without_a_form_is_found() {
    assert_eq!(
        found_on(Answer::new(200, "<p>Welcome</p>")).await,
        ["login_page.no_form"]
    );
}

#[tokio::test]
async fn a_policy_that_blocks_the_broker_is_found() {
    for policy in ["form-action 'self'", "default-src *; form-action 'none'"] {
        let page = Answer::new(200, FORM).with("content-security-policy", policy);
        assert_eq!(found_on(page).await, ["login_page.policy"], "{policy}");
    }
    let page = Answer::new(200, FORM).with("content-security-policy", "form-action http: https:");
    assert_eq!(found_on(page).await, [""; 0]);
}

#[tokio::test]
async fn a_strict_cookie_is_found() {
    let page = Answer::new(200, FORM).with("set-cookie", "session=1; SameSite=Strict");
    assert_eq!(found_on(page).await, ["login_page.cookie_strict"]);
}

#[tokio::test]
async fn a_page_on_another_origin_is_found() {
    let broker = serve(healthy).await;
    let origin = serve(|_| vec![("/", Answer::new(200, FORM)), ("/verify", callback())]).await;
    let mut options = site(&broker);
    options.redirect_uri = origin.replace("127.0.0.1", "localhost") + "/verify";
    options.login_page = Some(origin);
    let found = found_in(&examine(options).await);
    assert!(found.contains("login_page.elsewhere"), "{found:?}");
    assert!(!found.contains("callback.missing"), "{found:?}");
}

#[tokio::test]
async fn a_policy_in_the_page_counts_as_well() {
    let policy = r#"<meta http-equiv="Content-Security-Policy" content="form-action 'self'">"#;
    let page = Answer::new(200, format!("{policy}{FORM}"));
    assert_eq!(found_on(page).await, ["login_page.policy"]);
}

#[tokio::test]
async fn redirects_are_followed_to_the_page() {
    let to = |status, location: &str| Answer::new(status, "").with("location", location);
    for (first, expected) in [
        (to(301, "/sign-in/"), &[][..]),
        (to(302, "/sign-in/?next=/secret"), &[]),
        (to(302, "/sign-in"), &["login_page.redirect_loop"]),
        (to(307, "/gone"), &["login_page.status"]),
        (to(302, "mailto:alice@example.com"), &["login_page.status"]),
        (Answer::new(304, ""), &["login_page.status"]),
        (to(302, "http://127.0.0.1:1/"), &["login_page.unreachable"]),
    ] {
        let pages = [("/sign-in", first), ("/sign-in/", Answer::new(200, FORM))];
        let report = examined(pages, Some(callback())).await;
        assert_eq!(beyond_usual(&report), expected);
        assert!(!report.to_text(false).contains("secret"));
    }
    let circle = [("/sign-in", to(302, "/a")), ("/a", to(302, "/sign-in"))];
    let report = examined(circle, Some(callback())).await;
    assert_eq!(beyond_usual(&report), ["login_page.redirect_loop"]);
}

#[tokio::test]
async fn a_cookie_that_browsers_drop_is_found() {
    let page = Answer::new(200, FORM).with("set-cookie", "__Host-session=swordfish; Path=/");
    let report = examined([("/sign-in", page)], Some(callback())).await;
    assert_eq!(beyond_usual(&report), ["login_page.cookie_dropped"]);
    assert!(!(report.to_text(false) + &report.to_json()).contains("swordfish"));
}

#[tokio::test]
async fn a_large_page_is_read() {
    let page = format!("{}{FORM}", " ".repeat(1 << 20));
    assert_eq!(found_on(Answer::new(200, page)).await, [""; 0]);
}

#[tokio::test]
async fn a_callback_that_redirects_is_found() {
    for location in ["/verify/", "/login?next=/verify"] {
        let page = Answer::new(200, FORM);
        let callback = Answer::new(302, "").with("location", location);
        assert_eq!(
            found_with(page, Some(callback)).await,
            ["callback.redirected"]
        );
    }
}

#[tokio::test]
async fn a_callback_that_is_not_routed_is_found() {
    let page = || Answer::new(200, FORM);
    assert_eq!(found_with(page(), None).await, ["callback.missing"]);
    let of_framework = Answer::new(405, "").with("allow", "POST");
    for other in [Answer::new(200, "<p>Not this</p>"), of_framework] {
        assert_eq!(found_with(page(), Some(other)).await, ["callback.missing"]);
    }
}
