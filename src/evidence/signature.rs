//! Whether a signature of OpenSSH holds
//! (<https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig>).
//! The formats are read by `ssh-key`, the arithmetic is done by `ring`, which
//! the network's encryption uses too.

use base64ct::{Base64, Encoding as _};
use ring::signature::{self as with, RsaPublicKeyComponents, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, PublicKey, Signature, SshSig};

/// The longest armoured signature, in bytes.
pub(super) const SIGNATURE_LIMIT: u64 = 64 * 1024;
/// Flags and counter at the end of a signature by a security key, in bytes.
const KEY_TRAILER: usize = 5;

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not fit content and key.
    Broken,
    /// This kind of key or signature is not checked here.
    Unsupported(&'static str),
}

/// Reads an armoured signature. Only the one way to write it is taken: what
/// could be altered without a trace would not be signed.
pub(super) fn read(armoured: &[u8]) -> Option<SshSig> {
    let sig = SshSig::from_pem(armoured.trim_ascii_end()).ok()?;
    let text: String = std::str::from_utf8(armoured)
        .ok()?
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let blob = Base64::decode_vec(&text).ok()?;
    (written(&sig)? == blob && sig.reserved().is_empty()).then_some(sig)
}

/// The bytes of a signature. (`ssh-key` writes those of one kind of security
/// key in another way than it reads them.)
fn written(sig: &SshSig) -> Option<Vec<u8>> {
    let signature = sig.signature();
    let algorithm = signature.algorithm();
    let by_key = [Algorithm::SkEd25519, Algorithm::SkEcdsaSha2NistP256];
    let trailer = if by_key.contains(&algorithm) {
        KEY_TRAILER
    } else {
        0
    };
    let bytes = signature.as_bytes();
    let (bytes, trailer) = bytes.split_at(bytes.len().checked_sub(trailer)?);
    let mut inner = Vec::new();
    string(&mut inner, algorithm.as_str().as_bytes())?;
    string(&mut inner, bytes)?;
    inner.extend_from_slice(trailer);
    let key = PublicKey::from(sig.public_key().clone()).to_bytes().ok()?;
    let mut blob = b"SSHSIG".to_vec();
    blob.extend_from_slice(&sig.version().to_be_bytes());
    string(&mut blob, &key)?;
    string(&mut blob, sig.namespace().as_bytes())?;
    string(&mut blob, sig.reserved())?;
    string(&mut blob, sig.hash_alg().as_str().as_bytes())?;
    string(&mut blob, &inner)?;
    Some(blob)
}

/// A string as OpenSSH writes it (RFC 4251, section 5).
fn string(to: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    to.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_be_bytes());
    to.extend_from_slice(bytes);
    Some(())
}

/// Whether a signature of a namespace fits content and the key it names.
pub(super) fn holds(sig: &SshSig, namespace: &str, content: &[u8]) -> Result<(), Fault> {
    let signed = SshSig::signed_data(namespace, sig.hash_alg(), content);
    let signed = signed.map_err(|_| Fault::Broken)?;
    fits(sig.public_key(), sig.signature(), &signed)
}

fn fits(key: &KeyData, signature: &Signature, signed: &[u8]) -> Result<(), Fault> {
    let bytes = signature.as_bytes();
    let algorithm = signature.algorithm();
    if let KeyData::Ed25519(key) = key {
        expect(algorithm == Algorithm::Ed25519)?;
        return check(&with::ED25519, key.as_ref(), signed, bytes);
    }
    if let KeyData::SkEd25519(key) = key {
        expect(algorithm == Algorithm::SkEd25519)?;
        let (bytes, signed) = by_security_key(key.application(), bytes, signed)?;
        return check(&with::ED25519, key.public_key().as_ref(), &signed, bytes);
    }
    if let KeyData::SkEcdsaSha2NistP256(key) = key {
        expect(algorithm == Algorithm::SkEcdsaSha2NistP256)?;
        let (bytes, signed) = by_security_key(key.application(), bytes, signed)?;
        let point = key.ec_point().as_ref();
        let bytes = fixed(bytes, 32).ok_or(Fault::Broken)?;
        return check(&with::ECDSA_P256_SHA256_FIXED, point, &signed, &bytes);
    }
    if let KeyData::Ecdsa(key) = key {
        expect(algorithm == Algorithm::Ecdsa { curve: key.curve() })?;
        return ecdsa(key, bytes, signed);
    }
    if let KeyData::Rsa(key) = key {
        let how = if algorithm == rsa_with(HashAlg::Sha512) {
            &with::RSA_PKCS1_2048_8192_SHA512
        } else if algorithm == rsa_with(HashAlg::Sha256) {
            &with::RSA_PKCS1_2048_8192_SHA256
        } else {
            return Err(Fault::Broken);
        };
        let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else {
            return Err(Fault::Broken);
        };
        if n.len() < 256 {
            return Err(Fault::Unsupported("an RSA key of less than 2048 bits"));
        }
        return RsaPublicKeyComponents { n, e }
            .verify(how, signed, bytes)
            .map_err(|_| Fault::Broken);
    }
    Err(Fault::Unsupported(match key.other() {
        Some(_) => "a certificate, or a key of a kind that is not known",
        None => "a DSA key",
    }))
}

fn rsa_with(hash: HashAlg) -> Algorithm {
    Algorithm::Rsa { hash: Some(hash) }
}

fn ecdsa(key: &EcdsaPublicKey, bytes: &[u8], signed: &[u8]) -> Result<(), Fault> {
    let (how, size): (&'static dyn with::VerificationAlgorithm, _) = match key.curve() {
        EcdsaCurve::NistP256 => (&with::ECDSA_P256_SHA256_FIXED, 32),
        EcdsaCurve::NistP384 => (&with::ECDSA_P384_SHA384_FIXED, 48),
        EcdsaCurve::NistP521 => {
            return Err(Fault::Unsupported("an ECDSA key on the curve P-521"));
        }
    };
    let bytes = fixed(bytes, size).ok_or(Fault::Broken)?;
    check(how, key.as_sec1_bytes(), signed, &bytes)
}

fn expect(fits: bool) -> Result<(), Fault> {
    if fits { Ok(()) } else { Err(Fault::Broken) }
}

fn check(
    how: &'static dyn with::VerificationAlgorithm,
    key: &[u8],
    signed: &[u8],
    bytes: &[u8],
) -> Result<(), Fault> {
    UnparsedPublicKey::new(how, key)
        .verify(signed, bytes)
        .map_err(|_| Fault::Broken)
}

/// What a security key signs: the digest of its application, flags and counter,
/// and the digest of the content (PROTOCOL.u2f of OpenSSH).
fn by_security_key<'a>(
    application: &str,
    bytes: &'a [u8],
    signed: &[u8],
) -> Result<(&'a [u8], Vec<u8>), Fault> {
    let at = bytes.len().checked_sub(KEY_TRAILER).ok_or(Fault::Broken)?;
    let (bytes, trailer) = bytes.split_at(at);
    let mut whole = Sha256::digest(application).to_vec();
    whole.extend_from_slice(trailer);
    whole.extend_from_slice(&Sha256::digest(signed));
    Ok((bytes, whole))
}

/// Two numbers of OpenSSH (RFC 5656, section 3.1.2) as two of `size` bytes.
fn fixed(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut fixed = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let number = Mpint::from_bytes(after.get(..length)?).ok()?;
        rest = after.get(length..)?;
        let number = number.as_positive_bytes()?;
        let missing = size.checked_sub(number.len())?;
        fixed.resize(fixed.len() + missing, 0);
        fixed.extend_from_slice(number);
    }
    rest.is_empty().then_some(fixed)
}

/// Whether a bare signature, as DSSE envelopes carry them, fits content and key:
/// of Ed25519, or of ECDSA in DER.
pub(super) fn bare_fits(key: &KeyData, content: &[u8], bytes: &[u8]) -> bool {
    if let Some(key) = key.ed25519() {
        return check(&with::ED25519, key.as_ref(), content, bytes).is_ok();
    }
    key.ecdsa().is_some_and(|key| {
        let how: &'static dyn with::VerificationAlgorithm = match key.curve() {
            EcdsaCurve::NistP256 => &with::ECDSA_P256_SHA256_ASN1,
            EcdsaCurve::NistP384 => &with::ECDSA_P384_SHA384_ASN1,
            EcdsaCurve::NistP521 => return false,
        };
        check(how, key.as_sec1_bytes(), content, bytes).is_ok()
    })
}
