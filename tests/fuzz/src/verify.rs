//! Signed tokens: a letter for the signing key, one for the client's options, the header, a zero
//! byte and the payload. The target signs them, so that the checks after the signature are tested.

use std::cell::RefCell;
use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portier_client::{Algorithm, Client, Code, Kind, Result};

use crate::quiet::says_nothing_of;
use crate::reference::json::{Object, Tree, read};
use crate::reference::keys::{Usable, usable};
use crate::reference::{base64url, verify};
use crate::setting::{KEY_SET, Options, started, wait};

/// The client and the reference agree.
pub fn run(bytes: &[u8]) {
    let [who, options, text @ ..] = bytes else {
        return;
    };
    let mut parts = text.splitn(2, |byte| *byte == 0);
    let [header, payload] = [(); 2].map(|()| parts.next().unwrap_or_default());
    let signed = [header, payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let signature = sign(*who, signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    judge(&token, options_of(*options));
}

fn options_of(letter: u8) -> Options {
    let mut options = Options::USUAL;
    match letter {
        b'i' => options.idp = true,
        b'l' => options.leeway = 0,
        b'e' => options.algorithms = &[Algorithm::EdDsa],
        b'r' => options.algorithms = &[Algorithm::Rs256],
        _ => {}
    }
    options
}

/// The signature of one of the test keys; for a capital letter, with one bit changed.
pub(crate) fn sign(letter: u8, message: &[u8]) -> Vec<u8> {
    static KEYS: LazyLock<(Ed25519KeyPair, Ed25519KeyPair, RsaKeyPair)> = LazyLock::new(|| {
        let ed25519 = |text| Ed25519KeyPair::from_pkcs8(&pkcs8(text)).unwrap();
        (
            ed25519(include_str!("../../keys/ed25519-a.pem")),
            ed25519(include_str!("../../keys/ed25519-b.pem")),
            RsaKeyPair::from_pkcs8(&pkcs8(include_str!("../../keys/rsa-2048-a.pem"))).unwrap(),
        )
    });
    let (ed_a, ed_b, rsa_a) = &*KEYS;
    let mut signature = match letter.to_ascii_lowercase() {
        b'r' => {
            let mut signature = vec![0; rsa_a.public_modulus_len()];
            let random = SystemRandom::new();
            rsa_a
                .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                .unwrap();
            signature
        }
        b'b' => ed_b.sign(message).as_ref().to_vec(),
        _ => ed_a.sign(message).as_ref().to_vec(),
    };
    signature[0] ^= u8::from(letter.is_ascii_uppercase());
    signature
}

fn pkcs8(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

/// Gives the token to a client with a pending login. Panics if the result differs from the
/// reference, if a message says too much, or if the login is lost.
pub(crate) fn judge(token: &str, options: Options) {
    thread_local! {
        static STARTED: RefCell<Vec<(Options, Client)>> = const { RefCell::new(Vec::new()) };
    }
    static USABLE: LazyLock<Vec<Usable>> = LazyLock::new(|| usable(KEY_SET.as_bytes()).unwrap());
    let client = STARTED.with_borrow_mut(|clients| {
        let place = clients.iter().position(|(other, _)| *other == options)?;
        Some(clients.swap_remove(place).1)
    });
    let client = client.unwrap_or_else(|| started(options));
    let outcome = wait(client.verify(token));
    let expected = verify(token, &USABLE, options);
    assert_eq!(outcome.as_ref().ok(), expected.as_ref(), "{outcome:?}");
    if leaves_the_login(token, &outcome) {
        assert_eq!(client.stats().pending, Some(1));
        STARTED.with_borrow_mut(|clients| clients.push((options, client)));
    } else {
        assert_eq!(client.stats().pending, Some(0));
        let again = wait(client.verify(token)).unwrap_err();
        assert_eq!(again.code(), Code::SessionUsed);
    }
}

/// A token that is refused because of its content leaves the login pending.
fn leaves_the_login(token: &str, outcome: &Result<String>) -> bool {
    let Err(error) = outcome else {
        return false;
    };
    let parts: Vec<_> = token.split('.').collect();
    let trees: Vec<_> = parts
        .iter()
        .filter_map(|part| read(&base64url(part)?))
        .collect();
    let texts = trees
        .iter()
        .filter_map(Tree::members)
        .flat_map(Object::all_texts);
    let texts: Vec<_> = texts.chain(parts).chain([token]).collect();
    says_nothing_of(error, &texts);
    assert!(
        matches!(error.kind(), Kind::InvalidToken | Kind::InvalidSession),
        "{error}"
    );
    error.code() != Code::SessionEmail
}
