//! Finding index entries: Cargo's cache, local registries, the own cache, the
//! network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;
use semver::Version;

use super::cache::{self, Kept};
use super::disk::{Disk, LARGEST_ENTRY};
use super::place::{self, Closed, Place};
use super::record::{Body, CrateRecord};
use super::{Freshness, Origin, Registry, Wanted, lock};
use crate::facts::{FactKind, Finding, Gap, GapReason};
use crate::host::{Get, NetError, Response};
use crate::pkg::Source;

/// What was found for one crate.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) finding: Finding<Arc<CrateRecord>>,
    /// Whether it was asked for as current.
    pub(super) current: bool,
    /// The releases that were asked for; looking again would find no more.
    versions: BTreeSet<Version>,
}

/// All that is wanted of one crate.
#[derive(Clone, Debug, Default)]
struct Want {
    versions: BTreeSet<Version>,
    current: bool,
}

/// What the disk gave for one crate.
enum Step {
    /// All that was wanted, or nothing more to try.
    Done(Finding<Arc<CrateRecord>>),
    /// The registry is to be asked.
    Ask(Box<Question>),
}

/// A request with what it takes to understand the answer.
struct Question {
    get: Get,
    place: Arc<Place>,
    name: String,
    disk: Disk,
    /// The place among the records of the one that the request's conditions speak of.
    conditional: Option<usize>,
}

impl Registry<'_> {
    /// Looks up all these entries, many at once, and remembers them for
    /// [`Self::record`]. What was looked up before is looked up again only for
    /// versions that it does not have, or when it has to be current now.
    pub fn prefetch(&self, wanted: &[Wanted]) {
        let wants = self.open_wants(wanted);
        let steps: Vec<_> = wants
            .par_iter()
            .map(|((source, name), want)| self.on_disk(source, name, want))
            .collect();
        let mut found: Vec<Option<Finding<Arc<CrateRecord>>>> = Vec::with_capacity(steps.len());
        let mut questions = Vec::new();
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Done(finding) => found.push(Some(finding)),
                Step::Ask(question) => {
                    found.push(None);
                    questions.push((index, *question));
                }
            }
        }
        if let (Some(net), false) = (&self.host.net, questions.is_empty()) {
            let requests: Vec<Get> = questions.iter().map(|(_, q)| q.get.clone()).collect();
            let answers = net.get_all(&requests);
            let now = self.host.clock.now();
            let understood: Vec<_> = questions
                .into_iter()
                .zip(answers)
                .collect::<Vec<_>>()
                .into_par_iter()
                .filter_map(|((index, question), answer)| {
                    let ((source, name), want) = wants.get(index)?;
                    let subject = Subject { source, name, want };
                    let finding = self.understand(subject, question, answer, now);
                    Some((index, finding))
                })
                .collect();
            for (index, finding) in understood {
                if let Some(slot) = found.get_mut(index) {
                    *slot = Some(finding);
                }
            }
        }
        let mut records = lock(&self.records);
        for ((key, want), finding) in wants.into_iter().zip(found) {
            let finding = finding.unwrap_or_else(|| {
                gap(
                    GapReason::FetchFailed,
                    "the network gave no answer".to_owned(),
                )
            });
            let remembered = Remembered {
                finding,
                current: want.current,
                versions: want.versions,
            };
            records.insert(key, remembered);
        }
    }

    /// What has to be looked up for these, with all wishes for one crate together.
    fn open_wants(&self, wanted: &[Wanted]) -> Vec<((Source, String), Want)> {
        let mut wants: BTreeMap<(Source, String), Want> = BTreeMap::new();
        for wanted in wanted {
            let key = (wanted.source.clone(), wanted.name.clone());
            let want = wants.entry(key).or_default();
            want.versions.extend(wanted.holding.iter().cloned());
            want.current |= wanted.freshness == Freshness::Current;
        }
        let records = lock(&self.records);
        wants.retain(|key, want| {
            let Some(known) = records.get(key) else {
                return true;
            };
            let has_all = match known.finding.seen() {
                Some(record) => want
                    .versions
                    .iter()
                    .all(|v| known.versions.contains(v) || record.raw(v).is_some()),
                None => want.versions.is_subset(&known.versions),
            };
            if has_all && (known.current || !want.current) {
                return false;
            }
            want.current |= known.current;
            want.versions.extend(known.versions.iter().cloned());
            true
        });
        wants.into_iter().collect()
    }

    fn on_disk(&self, source: &Source, name: &str, want: &Want) -> Step {
        let Some(place) = self.place(source) else {
            return Step::Done(gap(
                GapReason::NotApplicable,
                format!("{source} is no registry, so there is no index entry"),
            ));
        };
        if !place::is_crate_name(name) {
            return Step::Done(gap(
                GapReason::Malformed,
                "it has a name that no package in a registry can have".to_owned(),
            ));
        }
        let closed = self.closed(&place);
        let mut disk = Disk::default();
        if want.current {
            self.read_own(&place, name, &mut disk);
            if let Some(finding) = self.still_current(source, name, want, &mut disk) {
                return Step::Done(finding);
            }
            // Where the registry can be asked, the own cache knows what to
            // ask; Cargo's is needed where it does not.
            disk.own_only = closed.is_none() && !disk.records.is_empty();
            if !disk.own_only {
                self.read_cargo(&place, name, None, &mut disk);
                self.read_local(&place, name, &mut disk);
            }
        } else if let Some(finding) = self.holding(&place, source, name, want, &mut disk) {
            return Step::Done(finding);
        }
        match (closed, place.index.clone()) {
            (None, Ok(base)) => Step::Ask(Box::new(question(&base, place, name, disk))),
            (closed, _) => {
                let (reason, why) = closed
                    .unwrap_or_else(|| (GapReason::FetchFailed, "it cannot be asked".to_owned()));
                Step::Done(from_disk(
                    Subject { source, name, want },
                    disk,
                    reason,
                    &why,
                ))
            }
        }
    }

    /// The first entry on disk that has all the wanted releases.
    fn holding(
        &self,
        place: &Place,
        source: &Source,
        name: &str,
        want: &Want,
        disk: &mut Disk,
    ) -> Option<Finding<Arc<CrateRecord>>> {
        let read: [&dyn Fn(&mut Disk); 3] = [
            &|disk| self.read_cargo(place, name, Some(&want.versions), disk),
            &|disk| self.read_local(place, name, disk),
            &|disk| self.read_own(place, name, disk),
        ];
        for read in read {
            read(disk);
            let whole = |record: &CrateRecord| record.holds(&want.versions);
            if let Some(place) = disk.records.iter().position(whole) {
                let why = "a newer copy was not asked for".to_owned();
                let record = disk.records.swap_remove(place);
                let record = record.with_stale(GapReason::OfflineAndNotCached, why);
                return Some(Finding::Seen(Arc::new(record)));
            }
        }
        self.known_missing(source, name, disk)
    }

    /// Why the registry is not asked, if it is not.
    fn closed(&self, place: &Place) -> Option<(GapReason, String)> {
        match &place.index {
            Err(Closed::NoIndex(why)) => Some((GapReason::NotApplicable, why.clone())),
            Err(Closed::Unasked(why)) => Some((GapReason::OfflineAndNotCached, why.clone())),
            Ok(_) => self
                .no_network()
                .map(|why| (GapReason::OfflineAndNotCached, why.to_owned())),
        }
    }

    /// The answer of the own cache, when it is new enough to count as current.
    fn still_current(
        &self,
        source: &Source,
        name: &str,
        want: &Want,
        disk: &mut Disk,
    ) -> Option<Finding<Arc<CrateRecord>>> {
        if let Some(missing) = self.known_missing(source, name, disk) {
            return Some(missing);
        }
        let kept = disk.kept.as_ref()?;
        let whole = disk
            .records
            .last()
            .is_some_and(|record| record.holds(&want.versions));
        // An entry that lacks a release which is in use is older than it.
        (self.is_new(kept.fetched) && whole).then(|| seen(disk.records.pop(), source, name))
    }

    /// That the registry said lately that it does not have the crate.
    fn known_missing(
        &self,
        source: &Source,
        name: &str,
        disk: &Disk,
    ) -> Option<Finding<Arc<CrateRecord>>> {
        let kept = disk.kept.as_ref()?;
        (!kept.known && self.is_new(kept.fetched)).then(|| not_in_registry(source, name))
    }

    fn is_new(&self, fetched: Timestamp) -> bool {
        let age = self.host.clock.now().duration_since(fetched);
        !age.is_negative() && age.unsigned_abs() <= self.access.max_age
    }

    /// Makes a finding of what the registry answered.
    fn understand(
        &self,
        subject: Subject<'_>,
        mut question: Question,
        answer: Result<Response, NetError>,
        now: Timestamp,
    ) -> Finding<Arc<CrateRecord>> {
        let Subject { source, name, .. } = subject;
        let (reason, why) = match answer {
            Ok(response) if response.status == 304 && question.conditional.is_some() => {
                return self.confirmed(subject, &mut question, &response, now);
            }
            Ok(response) if response.status == 200 => {
                let origin = Origin::Network { fetched: now };
                let body = Body::Lines(response.body.clone());
                if let Some(record) = CrateRecord::new(name, body, origin) {
                    self.store(&question, &answered(&question.get, response, now));
                    return Finding::Seen(Arc::new(record));
                }
                let why = format!("the answer of {source} is no index entry of `{name}`");
                (GapReason::Malformed, why)
            }
            Ok(response) if matches!(response.status, 404 | 410 | 451) => {
                let kept = Kept {
                    known: false,
                    body: Vec::new(),
                    ..answered(&question.get, response, now)
                };
                self.store(&question, &kept);
                return not_in_registry(source, name);
            }
            Ok(response) => (
                GapReason::FetchFailed,
                refusal(source, response.status, question.place.token.is_some()),
            ),
            Err(error) => {
                let reason = match &error {
                    NetError::TooLarge { .. } => GapReason::OverLimit,
                    NetError::NoAnswer { .. } | NetError::TimedOut { .. } => GapReason::FetchFailed,
                };
                (reason, error.to_string())
            }
        };
        let mut disk = question.disk;
        if disk.own_only {
            self.read_cargo(&question.place, name, None, &mut disk);
            self.read_local(&question.place, name, &mut disk);
        }
        from_disk(subject, disk, reason, &why)
    }

    /// The registry says that the copy which the request spoke of still holds.
    fn confirmed(
        &self,
        subject: Subject<'_>,
        question: &mut Question,
        response: &Response,
        now: Timestamp,
    ) -> Finding<Arc<CrateRecord>> {
        let copy = question
            .conditional
            .and_then(|place| question.disk.records.get(place));
        let condition = |name: &str| {
            let header = question.get.headers.iter().find(|(field, _)| field == name);
            header.map(|(_, value)| value.clone())
        };
        let header = |name: &str| response.headers.get(name).cloned();
        let kept = Kept {
            url: question.get.url.clone(),
            fetched: now,
            known: true,
            etag: header("etag").or_else(|| condition("if-none-match")),
            last_modified: header("last-modified").or_else(|| condition("if-modified-since")),
            body: copy.map(CrateRecord::to_lines).unwrap_or_default(),
        };
        self.store(question, &kept);
        let origin = Origin::Network { fetched: now };
        let record = CrateRecord::new(subject.name, Body::Lines(kept.body), origin);
        seen(record, subject.source, subject.name)
    }

    fn store(&self, question: &Question, kept: &Kept) {
        let entry = place::entry_path(&question.name);
        if let Some(path) = self.own_path(&question.place, &entry) {
            // Without the cache the next run is slower, and no worse.
            drop(self.host.files.write(&path, &cache::encode(kept)));
        }
    }
}

/// What one finding is about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    source: &'a Source,
    name: &'a str,
    want: &'a Want,
}

fn answered(get: &Get, response: Response, now: Timestamp) -> Kept {
    let header = |name: &str| response.headers.get(name).cloned();
    Kept {
        url: get.url.clone(),
        fetched: now,
        known: true,
        etag: header("etag"),
        last_modified: header("last-modified"),
        body: response.body,
    }
}

fn refusal(source: &Source, status: u16, has_token: bool) -> String {
    match (status, has_token) {
        (401 | 403, true) => format!("{source} does not accept the token for it (HTTP {status})"),
        (401 | 403, false) => {
            format!("{source} wants a token, and there is none for it (HTTP {status})")
        }
        _ => format!("{source} answered with HTTP status {status}"),
    }
}

/// The request for an entry, with conditions where there is a copy of it.
fn question(base: &str, place: Arc<Place>, name: &str, mut disk: Disk) -> Question {
    let url = format!("{base}{}", place::entry_path(name));
    let mut headers = Vec::new();
    let mut conditional = None;
    let own = disk
        .kept
        .as_ref()
        .filter(|kept| kept.known && kept.url == url)
        .map(Kept::validators)
        .filter(|validators| !validators.is_empty());
    if let Some(validators) = own {
        headers = validators;
        conditional = disk.records.len().checked_sub(1);
    } else if let Some((at, (field, value))) = disk.cargo.take() {
        headers.push((field.to_owned(), value));
        conditional = Some(at);
    }
    if let Some(token) = &place.token {
        headers.push(("authorization".to_owned(), token.reveal().to_owned()));
    }
    Question {
        get: Get {
            url,
            headers,
            limit: LARGEST_ENTRY,
        },
        place,
        name: name.to_owned(),
        disk,
        conditional,
    }
}

/// The best of what is on disk, for want of the registry's answer.
fn from_disk(
    subject: Subject<'_>,
    disk: Disk,
    reason: GapReason,
    why: &str,
) -> Finding<Arc<CrateRecord>> {
    let Subject { source, name, want } = subject;
    let rank = |record: &CrateRecord| (record.held(&want.versions), record.origin().time());
    // The first of equals: the likelier place.
    let best = disk.records.into_iter().rev().max_by_key(rank);
    if let Some(record) = best
        && (want.versions.is_empty() || want.current || record.held(&want.versions) > 0)
    {
        return Finding::Seen(Arc::new(record.with_stale(reason, why.to_owned())));
    }
    let versions: Vec<String> = want.versions.iter().map(Version::to_string).collect();
    let subject = match versions.is_empty() {
        true => format!("the index entry of `{name}` in {source}"),
        false => format!(
            "an index entry of `{name}` in {source} that has {}",
            versions.join(", ")
        ),
    };
    let mut detail = format!("no cache holds {subject}; {why}");
    // A file that is there and broken says more than that nothing is there.
    let mut reason = reason;
    for (other, text) in disk.unusable {
        detail.push_str("; ");
        detail.push_str(&text);
        if reason == GapReason::OfflineAndNotCached {
            reason = other;
        }
    }
    gap(reason, detail)
}

fn seen(record: Option<CrateRecord>, source: &Source, name: &str) -> Finding<Arc<CrateRecord>> {
    match record {
        Some(record) => Finding::Seen(Arc::new(record)),
        None => gap(
            GapReason::Malformed,
            format!("what is kept of `{name}` in {source} cannot be read"),
        ),
    }
}

fn not_in_registry(source: &Source, name: &str) -> Finding<Arc<CrateRecord>> {
    gap(
        GapReason::NotInRegistry,
        format!("{source} has no package `{name}`"),
    )
}

fn gap<T>(reason: GapReason, detail: String) -> Finding<T> {
    Finding::Unknown(Gap {
        fact: FactKind::History,
        reason,
        detail,
    })
}
