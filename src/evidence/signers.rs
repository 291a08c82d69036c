//! The list of signers: the `allowed_signers` file of OpenSSH
//! (ssh-keygen(1), ALLOWED SIGNERS).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};

use super::NAMESPACE;
use super::glob;

/// The largest list, in bytes.
pub const SIGNERS_LIMIT: u64 = 1 << 20;
/// How many lines of a list are read.
const MOST_LINES: usize = 10_000;
/// How many lines that are not understood are named.
const NAMED: usize = 5;

/// The keys whose signatures count, and for whom they stand.
#[derive(Clone, Debug, Default)]
pub struct Signers {
    pub(super) entries: Vec<Signer>,
    notes: Vec<String>,
}

/// One line of the list.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    /// Names or patterns of names, apart by commas.
    pub(super) principals: String,
    /// Patterns of namespaces; `None` for all.
    pub(super) namespaces: Option<String>,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
    pub(super) authority: bool,
    pub(super) key: KeyData,
}

/// Why a list of signers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignersError {
    /// It is not text.
    #[error("it is not text in UTF-8")]
    NotText,
    /// It is too long.
    #[error("it has more than {MOST_LINES} lines")]
    TooLong,
}

impl Signers {
    /// Reads a list. A line that is not understood gives nobody anything and is
    /// named in [`Signers::notes`].
    ///
    /// # Errors
    /// When it is no text, or too long.
    pub fn parse(content: &[u8]) -> Result<Self, SignersError> {
        let text = std::str::from_utf8(content).map_err(|_| SignersError::NotText)?;
        let mut found = Self::default();
        let mut odd = 0;
        for (number, line) in text.lines().enumerate() {
            if number >= MOST_LINES {
                return Err(SignersError::TooLong);
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match entry(line) {
                Ok(entry) => found.entries.push(entry),
                Err(why) => {
                    odd += 1;
                    if odd <= NAMED {
                        found.notes.push(format!("line {}: {why}", number + 1));
                    }
                }
            }
        }
        if odd > NAMED {
            let more = odd - NAMED;
            found
                .notes
                .push(format!("{more} more lines are not understood"));
        }
        Ok(found)
    }

    /// How many keys it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Lines that were not understood, with the reason.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl Signer {
    /// Whether the key may sign for our purpose.
    pub(super) fn covers_namespace(&self) -> bool {
        self.namespaces
            .as_deref()
            .is_none_or(|list| glob::fits_list(NAMESPACE, list))
    }

    /// Whether the key is valid at a time: from `valid-after` on, before `valid-before`.
    pub(super) fn valid_at(&self, time: Timestamp) -> bool {
        self.valid_after.is_none_or(|from| from <= time)
            && self.valid_before.is_none_or(|until| time < until)
    }

    /// Whether one of its names fits one of these patterns. A name that is a
    /// pattern itself is taken as it is written.
    pub(super) fn is_one_of(&self, patterns: &[String]) -> bool {
        self.principals
            .split(',')
            .filter(|name| !name.starts_with('!'))
            .any(|name| patterns.iter().any(|pattern| glob::fits(name, pattern)))
    }
}

/// The fingerprint of a key, as OpenSSH prints it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// `principals [options] keytype key [comment]`.
fn entry(line: &str) -> Result<Signer, String> {
    let (principals, rest) = field(line).ok_or("a quote has no end")?;
    if principals.is_empty() {
        return Err("it names nobody".to_owned());
    }
    let (options, key) = match PublicKey::from_openssh(rest) {
        Ok(key) => ("", key),
        Err(_) => {
            let (options, rest) = field(rest).ok_or("a quote has no end")?;
            let key = PublicKey::from_openssh(rest)
                .map_err(|_| "there is no key in it that can be read")?;
            (options, key)
        }
    };
    let mut signer = Signer {
        principals: principals.to_owned(),
        namespaces: None,
        valid_after: None,
        valid_before: None,
        authority: false,
        key: key.key_data().clone(),
    };
    for option in split_options(options) {
        signer.option(&option)?;
    }
    Ok(signer)
}

/// The first field of a line without its quotes, and what follows. Blanks
/// between quotes are part of the field.
fn field(line: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (field, rest) = quoted.split_once('"')?;
        return Some((field, rest.trim_start()));
    }
    let mut in_quotes = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => in_quotes = !in_quotes,
            ' ' | '\t' if !in_quotes => {
                return Some((line.get(..at)?, line.get(at..)?.trim_start()));
            }
            _ => {}
        }
    }
    (!in_quotes).then_some((line, ""))
}

/// `name` or `name="value"`, apart by commas that stand outside of quotes.
fn split_options(options: &str) -> Vec<String> {
    let mut split = vec![String::new()];
    let mut in_quotes = false;
    for c in options.chars() {
        in_quotes ^= c == '"';
        match split.last_mut() {
            Some(last) if c != ',' || in_quotes => last.push(c),
            _ => split.push(String::new()),
        }
    }
    split.retain(|option| !option.is_empty());
    split
}

impl Signer {
    fn option(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.trim_matches('"'))),
            None => (option, None),
        };
        match (name.to_ascii_lowercase().as_str(), value) {
            ("cert-authority", None) => self.authority = true,
            ("namespaces", Some(list)) => self.namespaces = Some(list.to_owned()),
            ("valid-after", Some(time)) => self.valid_after = Some(moment(time)?),
            ("valid-before", Some(time)) => self.valid_before = Some(moment(time)?),
            // An option that is not known could restrict the key.
            _ => return Err(format!("the option `{}` is not known", name.escape_debug())),
        }
        Ok(())
    }
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with or without `Z`. OpenSSH
/// reads a time without `Z` in the zone of the machine; so that the answer is
/// the same everywhere, it is UTC here.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{}` is not a time", text.escape_debug());
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| -> i16 {
        digits
            .get(from..to)
            .and_then(|part| part.parse().ok())
            .unwrap_or_default()
    };
    let small = |from: usize, to: usize| i8::try_from(part(from, to)).unwrap_or_default();
    let civil = DateTime::new(
        part(0, 4),
        small(4, 6),
        small(6, 8),
        small(8, 10),
        small(10, 12),
        small(12, 14),
        0,
    );
    civil
        .and_then(|civil| civil.to_zoned(TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILGsKGDrCFvOgHF5hLmB3H1N5o7Kk7xJrWpMyxtKnPX";

    fn one(line: &str) -> Signer {
        let signers = Signers::parse(line.as_bytes()).unwrap();
        assert_eq!(signers.notes(), [] as [String; 0], "{line}");
        signers.entries[0].clone()
    }

    fn note(line: &str) -> String {
        let signers = Signers::parse(line.as_bytes()).unwrap();
        assert_eq!(signers.count(), 0, "{line}");
        signers.notes()[0].clone()
    }

    #[test]
    fn lines_have_names_options_and_keys() {
        let plain = one(&format!(
            "alice@example.org,bob@example.org {KEY} a comment"
        ));
        assert_eq!(plain.principals, "alice@example.org,bob@example.org");
        assert!(plain.covers_namespace() && !plain.authority);
        assert!(plain.is_one_of(&["bob@*".into()]));
        assert!(!plain.is_one_of(&["carol@*".into()]));

        let all = one(&format!(
            "\"*@example.org\" namespaces=\"git,cargo-canary-*\",valid-after=\"20240101\",VALID-BEFORE=\"202501021530Z\" {KEY}"
        ));
        assert_eq!(all.principals, "*@example.org");
        assert!(all.covers_namespace());
        for (time, valid) in [
            ("2023-12-31T23:59:59Z", false),
            ("2024-01-01T00:00:00Z", true),
            ("2025-01-02T15:29:59Z", true),
            ("2025-01-02T15:30:00Z", false),
        ] {
            assert_eq!(all.valid_at(time.parse().unwrap()), valid, "{time}");
        }
        // A pattern for names is nobody's name.
        assert!(!all.is_one_of(&["alice@example.org".into()]));
        assert!(one(&format!("a cert-authority {KEY}")).authority);
        assert!(!one(&format!("a namespaces=\"git\" {KEY}")).covers_namespace());
        assert!(!one(&format!("a namespaces=\"!cargo-*,*\" {KEY}")).covers_namespace());
    }

    #[test]
    fn a_line_that_is_not_understood_gives_nobody_anything() {
        assert!(note("alice").contains("line 1: there is no key"));
        assert!(note(&format!("alice touch-wanted {KEY}")).contains("`touch-wanted` is not known"));
        assert!(
            note(&format!("alice valid-after=\"soon\" {KEY}")).contains("`soon` is not a time")
        );
        assert!(note(&format!("alice valid-after=\"20241301\" {KEY}")).contains("not a time"));
        assert!(note("alice ssh-ed25519 AAAA").contains("no key"));
        assert!(note(&format!("alice namespaces=\"git {KEY}")).contains("no end"));
        assert!(note("\"alice").contains("no end"));
        let text = format!("# all\n\n{}alice {KEY}\n", "x\n".repeat(8));
        let signers = Signers::parse(text.as_bytes()).unwrap();
        assert_eq!(signers.count(), 1);
        assert_eq!(signers.notes().len(), 6);
        assert_eq!(signers.notes()[0].split(':').next(), Some("line 3"));
        assert_eq!(signers.notes()[5], "3 more lines are not understood");
    }

    #[test]
    fn a_list_is_bounded_text() {
        assert_eq!(Signers::parse(b"\xff").unwrap_err(), SignersError::NotText);
        let long = "#\n".repeat(10_001);
        assert_eq!(
            Signers::parse(long.as_bytes()).unwrap_err(),
            SignersError::TooLong
        );
    }
}
