//! What other tools write: DSSE envelopes, and signatures of security keys.
//! There is no such key on a test machine, so its part is done here by `ring`,
//! in the words of PROTOCOL.u2f of OpenSSH.

use base64ct::{Base64, Encoding as _};
use cargo_canary::evidence::{About, Context, Found, Outcome, Signers, Statement, Word, judge};
use cargo_canary::policy::CanaryTerms;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use sha2::{Digest as _, Sha256, Sha512};

use super::keys::NAMESPACE;

const PAYLOAD: &str = "application/vnd.in-toto+json";

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

fn statement() -> Vec<u8> {
    let about = About {
        digest: format!("sha256:{}", "a".repeat(64)),
        ..About::default()
    };
    let word = Word::Approval("read it".into());
    let expires = "2026-03-31T00:00:00Z".parse().unwrap();
    Statement::new(&about, &word, now(), Some(expires)).bytes()
}

fn judged(found: Found, line: &str) -> Outcome {
    let signers = Signers::parse(line.as_bytes()).unwrap();
    assert_eq!((signers.count(), signers.notes().len()), (1, 0), "{line}");
    let digest = format!("sha256:{}", "a".repeat(64));
    let context = Context {
        digest: Some(&digest),
        executable: None,
        terms: &CanaryTerms::default(),
        signers: Ok(&signers),
        rules: None,
        as_of: now(),
        now: now(),
    };
    judge(vec![found], &context)
}

#[track_caller]
fn accepts(outcome: &Outcome) {
    assert_eq!(outcome.refused, []);
    assert_eq!(outcome.accepted[0].record.signer.as_deref(), Some("ci"));
    let key = outcome.accepted[0].record.key.as_ref().unwrap();
    assert!(key.starts_with("SHA256:"));
}

#[track_caller]
fn refuses(outcome: &Outcome, code: &str) {
    assert_eq!(outcome.accepted, []);
    assert_eq!(outcome.refused[0].because.code(), code);
}

/// Strings as OpenSSH writes them, one after the other.
fn wire(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

/// A line of a list of signers.
fn line(options: &str, kind: &str, key: &[u8]) -> String {
    format!(
        "ci {options} {kind} {} made here",
        Base64::encode_string(key)
    )
}

fn ed25519() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

fn ecdsa(how: &'static ring::signature::EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(how, document.as_ref(), &random).unwrap()
}

fn encoded(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD} {} ", PAYLOAD.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn envelope(payload: &[u8], signatures: &[&[u8]]) -> Found {
    let signatures: Vec<serde_json::Value> = signatures
        .iter()
        .map(|sig| serde_json::json!({"keyid": "any", "sig": Base64::encode_string(sig)}))
        .collect();
    let envelope = serde_json::json!({
        "payloadType": PAYLOAD,
        "payload": Base64::encode_string(payload),
        "signatures": signatures,
    });
    Found {
        name: "e.json".into(),
        content: serde_json::to_vec(&envelope).unwrap(),
        signature: None,
    }
}

#[test]
fn an_envelope_signed_by_a_key_of_the_list_counts() {
    let payload = statement();
    let key = ed25519();
    let listed = wire(&[b"ssh-ed25519", key.public_key().as_ref()]);
    let listed = line("", "ssh-ed25519", &listed);
    let sig = key.sign(&encoded(&payload));
    let sig = sig.as_ref();
    accepts(&judged(envelope(&payload, &[sig]), &listed));
    // Of several signatures one by a key of the list will do.
    let other = ed25519().sign(&encoded(&payload));
    accepts(&judged(envelope(&payload, &[other.as_ref(), sig]), &listed));
    refuses(
        &judged(envelope(&payload, &[other.as_ref()]), &listed),
        "bad-signature",
    );
    refuses(&judged(envelope(&payload, &[]), &listed), "bad-signature");
    // The payload alone is not what is signed.
    let bare = key.sign(&payload);
    refuses(
        &judged(envelope(&payload, &[bare.as_ref()]), &listed),
        "bad-signature",
    );
    let altered = String::from_utf8(payload.clone())
        .unwrap()
        .replace("read it", "read at");
    refuses(
        &judged(envelope(altered.as_bytes(), &[sig]), &listed),
        "bad-signature",
    );
    let git_only = listed.replacen("ci ", "ci namespaces=\"git\" ", 1);
    refuses(
        &judged(envelope(&payload, &[sig]), &git_only),
        "key-for-other-purpose",
    );

    let key = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let kind = "ecdsa-sha2-nistp256";
    let listed = wire(&[kind.as_bytes(), b"nistp256", key.public_key().as_ref()]);
    let sig = key.sign(&SystemRandom::new(), &encoded(&payload)).unwrap();
    let found = envelope(&payload, &[sig.as_ref()]);
    accepts(&judged(found, &line("", kind, &listed)));
}

/// What a security key answers: the signature, flags and counter. `sign` signs
/// what the key is given.
fn by_security_key(application: &str, content: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let flags_and_counter = [1, 0, 0, 0, 7];
    let given = [
        &Sha256::digest(application)[..],
        &flags_and_counter,
        &Sha256::digest(content)[..],
    ]
    .concat();
    [sign(&given), flags_and_counter.to_vec()].concat()
}

/// An armoured SSHSIG.
fn armoured(public: &[u8], kind: &str, answer: &[u8]) -> Vec<u8> {
    // The algorithm, then the signature; flags and counter follow it bare.
    let (signature, trailer) = answer.split_at(answer.len() - 5);
    let inner = [wire(&[kind.as_bytes(), signature]), trailer.to_vec()].concat();
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    blob.extend(wire(&[
        public,
        NAMESPACE.as_bytes(),
        b"",
        b"sha512",
        &inner,
    ]));
    let text = Base64::encode_string(&blob);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(70)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        lines.join("\n")
    )
    .into_bytes()
}

fn signed_content(content: &[u8]) -> Vec<u8> {
    let digest = Sha512::digest(content);
    let mut signed = b"SSHSIG".to_vec();
    signed.extend(wire(&[NAMESPACE.as_bytes(), b"", b"sha512", &digest]));
    signed
}

#[test]
fn a_signature_of_a_security_key_counts() {
    let content = statement();
    let application = "ssh:";
    let found = |signature: Vec<u8>, content: &[u8]| Found {
        name: "r.json".into(),
        content: content.to_vec(),
        signature: Some(signature),
    };

    let key = ed25519();
    let kind = "sk-ssh-ed25519@openssh.com";
    let public = wire(&[
        kind.as_bytes(),
        key.public_key().as_ref(),
        application.as_bytes(),
    ]);
    let answer = by_security_key(application, &signed_content(&content), |given| {
        key.sign(given).as_ref().to_vec()
    });
    let signature = armoured(&public, kind, &answer);
    let listed = line("", kind, &public);
    accepts(&judged(found(signature.clone(), &content), &listed));
    let altered = [&content[..], b" "].concat();
    refuses(
        &judged(found(signature, &altered), &listed),
        "bad-signature",
    );
    // The counter is signed too.
    let mut answer = answer;
    *answer.last_mut().unwrap() += 1;
    let signature = armoured(&public, kind, &answer);
    refuses(
        &judged(found(signature, &content), &listed),
        "bad-signature",
    );

    let key = ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let kind = "sk-ecdsa-sha2-nistp256@openssh.com";
    let point = key.public_key().as_ref();
    let public = wire(&[kind.as_bytes(), b"nistp256", point, application.as_bytes()]);
    let answer = by_security_key(application, &signed_content(&content), |given| {
        let pair = key.sign(&SystemRandom::new(), given).unwrap();
        let (r, s) = pair.as_ref().split_at(32);
        wire(&[&number(r), &number(s)])
    });
    let signature = armoured(&public, kind, &answer);
    accepts(&judged(
        found(signature, &content),
        &line("", kind, &public),
    ));
}

/// A number as OpenSSH writes it: without zeros in front, but one where the
/// first bit is set.
fn number(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap();
    let bytes = &bytes[first..];
    if bytes[0] >= 0x80 {
        [&[0], bytes].concat()
    } else {
        bytes.to_vec()
    }
}
