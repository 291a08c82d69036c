//! DSSE envelopes, as other makers of attestations write them
//! (<https://github.com/secure-systems-lab/dsse/blob/master/envelope.md>). They
//! are read and not written.

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;

/// The payload's type of every in-toto statement.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// How many signatures of one envelope are looked at.
const MOST_SIGNATURES: usize = 16;

/// An envelope, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) payload: Vec<u8>,
    pub(super) signatures: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Deserialize)]
struct WrittenSignature {
    sig: String,
}

impl Envelope {
    /// Reads an envelope; `None` when the content is something else.
    pub(super) fn read(content: &[u8]) -> Option<Result<Self, String>> {
        let written: Written = serde_json::from_slice(content).ok()?;
        Some(Self::decode(&written))
    }

    fn decode(written: &Written) -> Result<Self, String> {
        if written.payload_type != PAYLOAD_TYPE {
            return Err(format!(
                "its payload is `{}` and no in-toto statement",
                written.payload_type.escape_debug()
            ));
        }
        let decode = |text: &str| {
            Base64::decode_vec(text).map_err(|_| "it is not encoded in Base64".to_owned())
        };
        Ok(Self {
            payload: decode(&written.payload)?,
            signatures: written
                .signatures
                .iter()
                .take(MOST_SIGNATURES)
                .map(|signature| decode(&signature.sig))
                .collect::<Result<_, _>>()?,
        })
    }

    /// What is signed: the pre-authentication encoding
    /// (<https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>).
    pub(super) fn signed(&self) -> Vec<u8> {
        let mut signed = format!(
            "DSSEv1 {} {PAYLOAD_TYPE} {} ",
            PAYLOAD_TYPE.len(),
            self.payload.len()
        )
        .into_bytes();
        signed.extend_from_slice(&self.payload);
        signed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_as_the_protocol_has_it() {
        let envelope = Envelope {
            payload: b"hello world".to_vec(),
            signatures: Vec::new(),
        };
        assert_eq!(
            envelope.signed(),
            b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
        );
    }

    #[test]
    fn other_payloads_and_broken_encodings_are_named() {
        assert!(Envelope::read(b"{\"_type\": 1}").is_none());
        let of = |kind: &str, payload: &str| {
            let text = format!(
                "{{\"payloadType\":\"{kind}\",\"payload\":\"{payload}\",\"signatures\":[{{\"keyid\":\"\",\"sig\":\"AAAA\"}}]}}"
            );
            Envelope::read(text.as_bytes()).unwrap()
        };
        assert!(of("text/plain", "").unwrap_err().contains("text/plain"));
        assert!(of(PAYLOAD_TYPE, "*").unwrap_err().contains("Base64"));
        let envelope = of(PAYLOAD_TYPE, "aGk=").unwrap();
        assert_eq!(envelope.payload, b"hi");
        assert_eq!(envelope.signatures, [vec![0, 0, 0]]);
    }
}
