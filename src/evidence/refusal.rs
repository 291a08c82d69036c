//! Why a record does not count.

use std::time::Duration;

use jiff::Timestamp;

use crate::policy::EvidenceKind;

/// Why a record does not count. [`Refusal::code`] has the names for programs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is no record of ours.
    #[error("it is not a record: {0}")]
    NotARecord(String),
    /// There is no signature.
    #[error("it is not signed: there is no `{0}` beside it")]
    NotSigned(String),
    /// The signature does not fit.
    #[error(
        "the signature does not fit its content: it was altered after it was signed, or forged"
    )]
    BadSignature,
    /// The signature cannot be read.
    #[error("what should be its signature is none")]
    NoSignature,
    /// The key is of a kind that is not checked.
    #[error("it is signed by {0}, which is not supported")]
    UnsupportedKey(&'static str),
    /// Signed for another purpose.
    #[error("it is signed for `{0}`, not for `{ours}`", ours = super::NAMESPACE)]
    WrongNamespace(String),
    /// No list of signers.
    #[error("nobody may sign: {0}")]
    NoSigners(String),
    /// The key is not in the list.
    #[error("its key {0} is not in the list of signers")]
    UnknownKey(String),
    /// The key may not sign evidence.
    #[error("its key {0} is in the list of signers, but not for the namespace `{ours}`", ours = super::NAMESPACE)]
    KeyForOtherPurpose(String),
    /// The key is only known as that of an authority.
    #[error(
        "its key {0} is in the list of signers as an authority; certificates are not supported"
    )]
    Authority(String),
    /// The key was not valid.
    #[error("its key {key} was not valid on {at}")]
    KeyNotValid {
        /// The fingerprint.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// It is about something else.
    #[error("it is for another difference: {0}")]
    OtherDifference(String),
    /// It is about another program.
    #[error("it is for another executable: sha256:{0}")]
    OtherExecutable(String),
    /// It is too old.
    #[error("it expired on {0}")]
    Expired(Timestamp),
    /// Nothing says when it ends.
    #[error("neither it nor the policy (`max-age`) says when it expires")]
    NeverExpires,
    /// It is of the future.
    #[error("it says that it was signed on {0}, which is still to come")]
    FromTheFuture(Timestamp),
    /// The trial did not go well.
    #[error("the result is `{0}`, which is no pass")]
    NotAPass(String),
    /// The trial was too short.
    #[error("the trial ran for {}, and the policy wants {}", said(.ran), said(.wanted))]
    TooShort {
        /// How long it ran.
        ran: Duration,
        /// How long it had to.
        wanted: Duration,
    },
    /// Nothing says how long the trial was.
    #[error("it does not say how long the trial ran, and the policy wants {}", said(.0))]
    NoDuration(Duration),
    /// The same result stands in a record for another difference.
    #[error("the same result was signed for another difference before, in `{0}`")]
    Replayed(String),
    /// The policy does not accept this kind.
    #[error("the policy accepts no evidence of the kind `{}`", .0.as_str())]
    KindNotAccepted(EvidenceKind),
    /// The policy does not accept this signer.
    #[error("the policy accepts no `{kind}` from {signer}", kind = .kind.as_str())]
    SignerNotAllowed {
        /// The kind.
        kind: EvidenceKind,
        /// Who signed.
        signer: String,
    },
    /// The policy accepts it for other rules.
    #[error("the policy accepts it for other rules: {0}")]
    OtherRules(String),
}

impl Refusal {
    /// The name used in reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARecord(_) => "not-a-record",
            Self::NotSigned(_) => "not-signed",
            Self::BadSignature => "bad-signature",
            Self::NoSignature => "no-signature",
            Self::UnsupportedKey(_) => "unsupported-key",
            Self::WrongNamespace(_) => "wrong-namespace",
            Self::NoSigners(_) => "no-signers",
            Self::UnknownKey(_) => "unknown-key",
            Self::KeyForOtherPurpose(_) => "key-for-other-purpose",
            Self::Authority(_) => "certificate-authority",
            Self::KeyNotValid { .. } => "key-not-valid",
            Self::OtherDifference(_) => "other-difference",
            Self::OtherExecutable(_) => "other-executable",
            Self::Expired(_) => "expired",
            Self::NeverExpires => "never-expires",
            Self::FromTheFuture(_) => "from-the-future",
            Self::NotAPass(_) => "not-a-pass",
            Self::TooShort { .. } => "too-short",
            Self::NoDuration(_) => "no-duration",
            Self::Replayed(_) => "replayed",
            Self::KindNotAccepted(_) => "kind-not-accepted",
            Self::SignerNotAllowed { .. } => "signer-not-allowed",
            Self::OtherRules(_) => "other-rules",
        }
    }
}

/// `4 h`, `90 s`: a time as people say it.
pub(super) fn said(duration: &Duration) -> String {
    // A probe of 4 s takes its last sample a little before.
    let seconds = duration
        .saturating_add(Duration::from_millis(500))
        .as_secs();
    match seconds {
        0 => "less than 1 s".to_owned(),
        _ if seconds.is_multiple_of(86_400) => format!("{} d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        3_601.. => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        61..=3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{seconds} s"),
    }
}
