//! The index entry of one crate: all its releases, of which only the wanted
//! ones are read. Pure.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use memchr::{memchr_iter, memmem};
use semver::Version;

use super::line::{self, Head};
use super::{IndexRelease, Origin, RecordError, ReleaseLine};
use crate::facts::GapReason;

/// A line with more bytes than this is not read.
const LONGEST_LINE: usize = 1 << 20;

/// The head of an entry in Cargo's own cache: its format and the version of
/// the schema of its lines (cargo's `src/cargo/sources/registry/index/cache.rs`).
const CARGO_FORMAT: u8 = 3;
const CARGO_SCHEMA: u32 = 2;

/// What a registry's index says of one crate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CrateRecord {
    entry: Arc<Entry>,
    origin: Origin,
    stale: Option<(GapReason, String)>,
}

/// What was read, wherever it came from.
#[derive(Debug)]
struct Entry {
    name: String,
    body: Vec<u8>,
    spans: Vec<Span>,
    too_long: usize,
    all: OnceLock<All>,
}

/// Where one release stands in the body.
#[derive(Debug)]
struct Span {
    /// The version, where the format has it outside of the JSON.
    version: Option<Range<usize>>,
    json: Range<usize>,
}

#[derive(Debug)]
struct All {
    lines: Vec<ReleaseLine>,
    /// For each of the lines the index of its span.
    spans: Vec<usize>,
    unreadable: usize,
}

/// The body of an entry in one of the two formats it is stored in.
#[derive(Debug)]
pub(super) enum Body {
    /// As the registry sends it: one JSON object per line.
    Lines(Vec<u8>),
    /// As Cargo caches it.
    Cargo(Vec<u8>),
}

impl CrateRecord {
    /// Splits an entry into its lines. Nothing of them is read yet.
    ///
    /// Returns `None` when it is not in the format, or holds no line that is
    /// of this crate.
    pub(super) fn new(name: &str, body: Body, origin: Origin) -> Option<Self> {
        let (body, spans, too_long) = match body {
            Body::Lines(body) => {
                let (spans, too_long) = split_lines(&body);
                (body, spans, too_long)
            }
            Body::Cargo(body) => {
                let (spans, too_long) = split_cargo(&body)?;
                (body, spans, too_long)
            }
        };
        let entry = Entry {
            name: name.to_owned(),
            body,
            spans,
            too_long,
            all: OnceLock::new(),
        };
        let is_ours = entry.spans.iter().any(|span| {
            Head::read(entry.bytes(&span.json)).is_some_and(|head| head.name == entry.name)
        });
        is_ours.then(|| Self {
            entry: Arc::new(entry),
            origin,
            stale: None,
        })
    }

    /// The same record with the reason why it is not known to be the newest.
    pub(super) fn with_stale(mut self, reason: GapReason, why: String) -> Self {
        self.stale = Some((reason, why));
        self
    }

    /// The name of the crate, as the index spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Where this record was read, and of what time it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Why the record may be older than what the registry has now, in words;
    /// `None` when it is as new as was asked for.
    #[must_use]
    pub fn stale(&self) -> Option<&str> {
        self.stale.as_ref().map(|(_, why)| why.as_str())
    }

    /// All releases that can be read, in version order. A release whose line
    /// has a newer schema than is understood is not among them.
    #[must_use]
    pub fn lines(&self) -> &[ReleaseLine] {
        &self.entry.all().lines
    }

    /// The number of lines that could not be read and are missing from [`Self::lines`].
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.entry.all().unreadable + self.entry.too_long
    }

    /// What the index says of one release. `None` means that the registry has
    /// no such release: the record is as new as was asked for, and all of it
    /// could be read.
    ///
    /// # Errors
    /// When its line is not well-formed, or when the record may be too old to
    /// have the release or has lines that cannot be read.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<Result<IndexRelease, RecordError>> {
        if let Some(json) = self.raw(version) {
            return Some(line::release(self.name(), json));
        }
        if let Some((reason, why)) = &self.stale {
            return Some(Err(RecordError::NotHeld {
                name: self.name().to_owned(),
                version: version.clone(),
                reason: *reason,
                why: why.clone(),
            }));
        }
        match self.unreadable() {
            0 => None,
            lines => Some(Err(RecordError::Unreadable {
                name: self.name().to_owned(),
                version: version.clone(),
                lines,
            })),
        }
    }

    /// Time and withdrawal of one release, without reading the others; `None`
    /// when there is no such line, or it cannot be read.
    #[must_use]
    pub fn line(&self, version: &Version) -> Option<ReleaseLine> {
        let head = Head::read(self.raw(version)?).filter(|head| head.is_known())?;
        Some(ReleaseLine {
            version: version.clone(),
            published: head.published(),
            yanked: head.yanked(),
        })
    }

    /// The JSON line of one release, as the registry wrote it.
    #[must_use]
    pub fn raw(&self, version: &Version) -> Option<&[u8]> {
        self.entry.raw(version)
    }

    /// Whether all of these releases are in the record.
    pub(super) fn holds<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) -> bool {
        versions
            .into_iter()
            .all(|version| self.raw(version).is_some())
    }

    /// How many of these releases are in the record.
    pub(super) fn held<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) -> usize {
        versions
            .into_iter()
            .filter(|version| self.raw(version).is_some())
            .count()
    }

    /// The body in the form that the registry sends.
    #[must_use]
    pub fn to_lines(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.entry.body.len());
        for span in &self.entry.spans {
            out.extend_from_slice(self.entry.bytes(&span.json));
            out.push(b'\n');
        }
        out
    }
}

impl Entry {
    fn raw(&self, version: &Version) -> Option<&[u8]> {
        let text = version.to_string();
        let quoted = format!("\"{text}\"");
        let finder = memmem::Finder::new(&quoted);
        let quick = self.spans.iter().find(|span| {
            let candidate = match &span.version {
                Some(version) => self.bytes(version) == text.as_bytes(),
                None => finder.find(self.bytes(&span.json)).is_some(),
            };
            // The version's text can also stand elsewhere in the line.
            candidate
                && Head::read(self.bytes(&span.json))
                    .is_some_and(|head| head.name == self.name && head.vers == text)
        });
        let json = match quick {
            Some(span) => &span.json,
            None => {
                // The version can be spelt with escapes.
                let all = self.all();
                let place = all.lines.iter().position(|line| line.version == *version)?;
                &self.spans.get(*all.spans.get(place)?)?.json
            }
        };
        Some(self.bytes(json))
    }

    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.body.get(range.clone()).unwrap_or_default()
    }

    fn all(&self) -> &All {
        self.all.get_or_init(|| {
            let mut read: Vec<(ReleaseLine, usize)> = Vec::with_capacity(self.spans.len());
            for (place, span) in self.spans.iter().enumerate() {
                let line = Head::read(self.bytes(&span.json))
                    .filter(|head| head.name == self.name && head.is_known())
                    .and_then(|head| {
                        Some(ReleaseLine {
                            version: Version::parse(&head.vers).ok()?,
                            published: head.published(),
                            yanked: head.yanked(),
                        })
                    });
                if let Some(line) = line {
                    read.push((line, place));
                }
            }
            read.sort_by(|(a, at), (b, bt)| a.version.cmp(&b.version).then(at.cmp(bt)));
            // Of two lines for one version the first counts, as in `raw`.
            read.dedup_by(|(later, _), (first, _)| later.version == first.version);
            let unreadable = self.spans.len() - read.len();
            let (lines, spans) = read.into_iter().unzip();
            All {
                lines,
                spans,
                unreadable,
            }
        })
    }
}

fn split_lines(body: &[u8]) -> (Vec<Span>, usize) {
    let mut spans = Vec::new();
    let mut too_long = 0;
    let mut start = 0;
    for end in memchr_iter(b'\n', body).chain([body.len()]) {
        let line = body.get(start..end).unwrap_or_default();
        if line.len() > LONGEST_LINE {
            too_long += 1;
        } else if !line.trim_ascii().is_empty() {
            spans.push(Span {
                version: None,
                json: start..end,
            });
        }
        start = end + 1;
    }
    (spans, too_long)
}

/// Splits what stands in Cargo's cache: one byte for the format, four for the
/// schema, then fields that each end with a zero byte: what the entry was
/// fetched as, and for each release its version and its JSON.
fn split_cargo(body: &[u8]) -> Option<(Vec<Span>, usize)> {
    let (fields, _) = cargo_fields(body)?;
    let offset = body.len() - fields.len();
    let mut spans = Vec::new();
    let mut too_long = 0;
    let mut start = 0;
    let mut version: Option<Range<usize>> = None;
    for end in memchr_iter(0, fields) {
        let field = offset + start..offset + end;
        start = end + 1;
        match version.take() {
            None => version = Some(field),
            Some(_) if field.len() > LONGEST_LINE => too_long += 1,
            Some(version) => spans.push(Span {
                version: Some(version),
                json: field,
            }),
        }
    }
    // An entry that was cut off ends within a field.
    (version.is_none() && start == fields.len()).then_some((spans, too_long))
}

/// The fields of an entry in Cargo's cache after the first, and the first:
/// what the entry was fetched as.
fn cargo_fields(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (format, rest) = body.split_first()?;
    let (schema, rest) = rest.split_first_chunk::<4>()?;
    if *format != CARGO_FORMAT || u32::from_le_bytes(*schema) != CARGO_SCHEMA {
        return None;
    }
    let end = memchr::memchr(0, rest)?;
    Some((rest.get(end + 1..)?, rest.get(..end)?))
}

/// The header field, with its name, by which Cargo would ask whether its
/// cached entry is still the newest.
pub(super) fn cargo_validator(body: &[u8]) -> Option<(&'static str, String)> {
    let (_, fetched_as) = cargo_fields(body)?;
    let (name, value) = std::str::from_utf8(fetched_as).ok()?.split_once(": ")?;
    match name.to_ascii_lowercase().as_str() {
        "etag" => Some(("if-none-match", value.to_owned())),
        "last-modified" => Some(("if-modified-since", value.to_owned())),
        _ => None,
    }
}

impl Origin {
    /// The time that the record is of: when it was fetched, or when the file
    /// that holds it was last written.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        match self {
            Self::CargoCache { modified } | Self::LocalRegistry { modified } => *modified,
            Self::OwnCache { fetched } | Self::Network { fetched } => *fetched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(name: &str, version: &str) -> String {
        format!(
            r#"{{"name":"{name}","vers":"{version}","deps":[],"cksum":"{:064}","yanked":false}}"#,
            7
        )
    }

    fn cargo(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut body = vec![3, 2, 0, 0, 0];
        body.extend_from_slice(b"etag: \"abc\"\0");
        for (version, json) in entries {
            body.extend_from_slice(version.as_bytes());
            body.push(0);
            body.extend_from_slice(json.as_bytes());
            body.push(0);
        }
        body
    }

    fn lines(text: &str) -> CrateRecord {
        let origin = Origin::Network {
            fetched: Timestamp::UNIX_EPOCH,
        };
        CrateRecord::new("a", Body::Lines(text.into()), origin).unwrap()
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn one_version_is_read_without_the_others() {
        let one = json("a", "1.0.0");
        let body = cargo(&[("0.9.0", "not even JSON"), ("1.0.0", &one)]);
        let origin = Origin::CargoCache {
            modified: Timestamp::UNIX_EPOCH,
        };
        let record = CrateRecord::new("a", Body::Cargo(body.clone()), origin).unwrap();
        assert_eq!(record.raw(&version("1.0.0")), Some(one.as_bytes()));
        assert!(record.release(&version("1.0.0")).unwrap().is_ok());
        assert_eq!(record.unreadable(), 1);
        assert_eq!(
            cargo_validator(&body),
            Some(("if-none-match", "\"abc\"".to_owned()))
        );
        let again = lines(std::str::from_utf8(&record.to_lines()).unwrap());
        assert_eq!(again.lines(), record.lines());
    }

    #[test]
    fn an_entry_that_is_cut_off_anywhere_is_not_taken() {
        let one = json("a", "1.0.0");
        let body = cargo(&[("1.0.0", &one), ("1.0.1", &json("a", "1.0.1"))]);
        let origin = Origin::CargoCache {
            modified: Timestamp::UNIX_EPOCH,
        };
        let mut taken = 0;
        for end in 0..body.len() {
            let cut = Body::Cargo(body[..end].to_vec());
            if let Some(record) = CrateRecord::new("a", cut, origin.clone()) {
                taken += 1;
                assert_eq!(record.to_lines(), format!("{one}\n").as_bytes());
            }
        }
        // Cut exactly between two releases it looks whole, and is.
        assert_eq!(taken, 1);
    }

    #[test]
    fn lines_stand_in_version_order_and_odd_ones_are_counted() {
        let text = format!(
            "{}\n{}\nnonsense\n{}\n{}\n{}\n\n",
            json("a", "1.10.0"),
            json("a", "1.9.0"),
            json("b", "1.0.0"),
            json("a", "one"),
            json("a", "1.9.0").replace("false", "true"),
        );
        let record = lines(&text);
        let versions: Vec<_> = record
            .lines()
            .iter()
            .map(|l| l.version.to_string())
            .collect();
        assert_eq!(versions, ["1.9.0", "1.10.0"]);
        assert!(!record.lines()[0].yanked, "the first of two lines counts");
        assert_eq!(record.unreadable(), 4);
    }

    #[test]
    fn a_version_that_is_missing_is_absent_only_from_a_record_that_is_whole_and_new() {
        let whole = lines(&json("a", "1.0.0"));
        assert!(whole.release(&version("2.0.0")).is_none());
        let old = lines(&json("a", "1.0.0")).with_stale(
            GapReason::OfflineAndNotCached,
            "there is no network".to_owned(),
        );
        assert!(matches!(
            old.release(&version("2.0.0")),
            Some(Err(RecordError::NotHeld { .. }))
        ));
        let torn = lines(&format!("{}\n{{\"na", json("a", "1.0.0")));
        assert!(matches!(
            torn.release(&version("2.0.0")),
            Some(Err(RecordError::Unreadable { lines: 1, .. }))
        ));
    }

    #[test]
    fn a_version_is_found_however_it_is_spelt_and_not_where_it_only_occurs() {
        let text = format!(
            "{}\n{}",
            r#"{"name":"a","vers":"1.0.1","features":{"1.0.0":[]}}"#,
            r#"{"name":"a","vers":"1.0\u002e0"}"#
        );
        let record = lines(&text);
        let raw = record.raw(&version("1.0.0")).unwrap();
        assert!(raw.ends_with(br#"\u002e0"}"#));
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_counted() {
        let long = json("a", "2.0.0").replace("[]", &format!("[{}]", " ".repeat(LONGEST_LINE)));
        let record = lines(&format!("{long}\n{}", json("a", "1.0.0")));
        assert_eq!(record.lines().len(), 1);
        assert_eq!(record.unreadable(), 1);
    }

    #[test]
    fn an_entry_of_another_crate_is_none() {
        let origin = Origin::Network {
            fetched: Timestamp::UNIX_EPOCH,
        };
        for body in [
            json("b", "1.0.0"),
            json("A", "1.0.0"),
            String::new(),
            "<html>".into(),
        ] {
            assert!(CrateRecord::new("a", Body::Lines(body.into()), origin.clone()).is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_reading_panic(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
            framed in proptest::prelude::any::<bool>(),
            cut in 0_usize..200,
        ) {
            let origin = Origin::Network { fetched: Timestamp::UNIX_EPOCH };
            let good = json("a", "1.0.0");
            let body = if framed {
                let mut body = cargo(&[("1.0.0", &good)]);
                body.truncate(body.len().saturating_sub(cut));
                body.extend_from_slice(&bytes);
                Body::Cargo(body)
            } else {
                let mut body = good.into_bytes();
                body.truncate(body.len().saturating_sub(cut));
                body.push(b'\n');
                body.extend_from_slice(&bytes);
                Body::Lines(body)
            };
            if let Some(record) = CrateRecord::new("a", body, origin) {
                proptest::prop_assert!(record.lines().len() <= 1);
                proptest::prop_assert!(record.release(&version("2.0.0")).is_none_or(|r| r.is_err()));
                let _ = record.to_lines();
            }
        }
    }
}
