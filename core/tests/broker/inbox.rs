//! The inbox of the development broker, and the page that waits for a mail.

use portier_client::Client;
use portier_client::testing::{DevBroker, DevBrokerOptions, Mail, Mode};
use serde_json::Value;

use crate::site::{Browser, Page, Site, code};

const EMAIL: &str = "Alice@example.com";

/// Starts a login and opens the broker's page.
async fn start(site: &Site, browser: &Browser) -> Page {
    let url = site.client.authenticate(EMAIL).await.unwrap();
    browser.open(&url).await
}

fn last_mail(broker: &DevBroker) -> Mail {
    broker.inbox().pop().unwrap()
}

#[tokio::test]
async fn a_page_waits_for_the_code_of_the_mail() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    let waiting = start(&site, &browser).await;
    assert!(waiting.text.contains("Check your mail"));
    let mail = last_mail(&site.broker);
    assert_eq!(
        (mail.to.as_str(), mail.site.as_str()),
        (EMAIL, "http://localhost:8888")
    );
    assert!(!waiting.text.contains(&mail.code));
    let wrong = browser.submit(&waiting, &[("code", "234567 89abcd")]).await;
    assert!(wrong.text.contains("This is not the code of the mail."));
    let typed = mail.code.replace(' ', "").to_uppercase();
    let page = browser.submit(&wrong, &[("code", &typed)]).await;
    let login = site.client.complete(page.callback(), None).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
    let again = browser.submit(&wrong, &[("code", &typed)]).await;
    assert_eq!(again.status, 410);
}

#[tokio::test]
async fn the_link_of_a_mail_asks_before_it_signs_in() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    start(&site, &browser).await;
    let link = last_mail(&site.broker).link;
    // A mail program opens it, too.
    for _ in 0..2 {
        assert_eq!(browser.open(&link).await.status, 200);
    }
    let asked = browser.open(&link).await;
    let page = browser.submit(&asked, &[("answer", "continue")]).await;
    site.client.complete(page.callback(), None).await.unwrap();
    assert_eq!(browser.open(&link).await.status, 410);
}

#[tokio::test]
async fn a_login_that_waits_can_be_cancelled() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    let waiting = start(&site, &browser).await;
    let page = browser.submit(&waiting, &[("answer", "cancel")]).await;
    let outcome = site.client.complete(page.callback(), None).await;
    assert_eq!(code(outcome), "broker_error");
    let link = last_mail(&site.broker).link;
    assert_eq!(browser.open(&link).await.status, 410);
}

#[tokio::test]
async fn a_mail_works_for_a_quarter_of_an_hour() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    start(&site, &browser).await;
    let link = last_mail(&site.broker).link;
    site.advance(14 * 60);
    assert_eq!(browser.open(&link).await.status, 200);
    site.advance(2 * 60);
    assert_eq!(browser.open(&link).await.status, 410);
}

#[tokio::test]
async fn the_page_that_asks_sends_a_mail_as_well() {
    let site = Site::with(Mode::Page, |builder| builder);
    let browser = Browser::new();
    let asked = start(&site, &browser).await;
    let link = last_mail(&site.broker).link;
    assert_eq!(browser.open(&link).await.status, 200);
    let page = browser.submit(&asked, &[("answer", "continue")]).await;
    site.client.complete(page.callback(), None).await.unwrap();
    assert_eq!(browser.open(&link).await.status, 410);
}

#[tokio::test]
async fn the_page_that_asks_works_after_a_restart_of_the_broker() {
    let site = Site::with(Mode::Page, |builder| builder);
    let browser = Browser::new();
    let asked = start(&site, &browser).await;
    site.broker.clear_inbox();
    let page = browser.submit(&asked, &[("answer", "continue")]).await;
    site.client.complete(page.callback(), None).await.unwrap();
}

#[tokio::test]
async fn the_inbox_is_a_page_and_json() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    let at = |path: &str| format!("{}{path}", site.broker.origin());
    let empty = browser.open(&at("/inbox")).await;
    assert!(empty.text.contains("There is no mail."));
    let url = site.client.authenticate("\"<b>\"@example.com").await;
    browser.open(&url.unwrap()).await;
    start(&site, &browser).await;
    let page = browser.open(&at("/inbox")).await;
    let mail = last_mail(&site.broker);
    assert!(page.text.contains(&mail.code));
    assert!(page.text.contains(&mail.link.replace('&', "&#38;")));
    assert!(!page.text.contains("<b>"));
    let newest = page.text.find("Alice@").unwrap();
    assert!(newest < page.text.find("&#60;b&#62;").unwrap());

    let json: Value = serde_json::from_str(&browser.open(&at("/inbox.json")).await.text).unwrap();
    let mails = json["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1]["to"], EMAIL);
    assert_eq!(mails[1]["site"], "http://localhost:8888");
    assert_eq!(mails[1]["code"], mail.code);
    assert_eq!(mails[1]["link"], mail.link);
    assert_eq!(mails[1]["sent_at"], 1_800_000_000.0);

    let cleared = browser.submit(&page, &[]).await;
    assert_eq!(cleared.header("location"), "/inbox");
    assert!(site.broker.inbox().is_empty());
}

#[tokio::test]
async fn the_inbox_keeps_the_last_hundred_mails() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let client = Client::builder("http://localhost:8888/verify").broker(broker.origin());
    let client = client.build().unwrap();
    let browser = Browser::new();
    for number in 0..102 {
        let url = client.authenticate(&format!("a{number}@example.com")).await;
        browser.open(&url.unwrap()).await;
    }
    let mails = broker.inbox();
    assert_eq!(mails.len(), 100);
    assert_eq!(mails[0].to, "a2@example.com");
    let sessions: std::collections::HashSet<_> = mails.iter().map(|mail| &mail.link).collect();
    assert_eq!(sessions.len(), 100);
}

#[tokio::test]
async fn a_code_opens_no_other_login() {
    let site = Site::with(Mode::Mail, |builder| builder);
    let browser = Browser::new();
    start(&site, &browser).await;
    let code = last_mail(&site.broker).code;
    let other = start(&site, &browser).await;
    let page = browser.submit(&other, &[("code", &code)]).await;
    assert!(page.text.contains("This is not the code of the mail."));
}
