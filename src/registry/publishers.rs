//! Who published the releases of a crate, from the registry's web API
//! (<https://crates.io/data-access>; the fields are those of
//! `GET /api/v1/crates/NAME/versions` and `GET /api/v1/crates/NAME/owners`).
//! The registry asks for at most one request in a second, so that this is only
//! done where it is wanted.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use semver::Version;
use serde::Deserialize;

use super::cache::{self, Kept};
use super::{Registry, place};
use crate::facts::{FactKind, Finding, Gap, GapReason, Publisher, PublisherDelta};
use crate::host::Get;

/// Answers with more bytes than this are not read.
const LARGEST: u64 = 16 << 20;
/// So many requests are made in one run; the rest are gaps.
const MOST_REQUESTS: usize = 200;
/// Names of more characters than this are cut: logins are shorter.
const LONGEST_NAME: usize = 100;
/// So many owners are kept.
const MOST_OWNERS: usize = 100;

/// Where to ask, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherApi {
    /// The address of the registry's site, such as `https://crates.io`.
    pub base: String,
    /// The time between two requests.
    pub pause: Duration,
    /// What was fetched within this time counts as current.
    pub max_age: Duration,
}

/// What is asked of one crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The crate.
    pub name: String,
    /// The release that comes in.
    pub incoming: Version,
    /// The release that goes out.
    pub outgoing: Option<Version>,
}

#[derive(Deserialize)]
struct Versions {
    versions: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    num: String,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    published_by: Option<Login>,
    #[serde(default)]
    trustpub_data: Option<Workflow>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
struct Workflow {
    provider: String,
    #[serde(default, alias = "project_path")]
    repository: String,
}

#[derive(Deserialize)]
struct Owners {
    users: Vec<Login>,
}

impl Registry<'_> {
    /// Who published some releases of the default registry, in the order in
    /// which they are asked for. On a past day only what was published by then
    /// is looked at, and owners are left out.
    #[must_use]
    pub fn publishers(
        &self,
        asked: &[Asked],
        api: &PublisherApi,
        as_of: Timestamp,
    ) -> Vec<Finding<PublisherDelta>> {
        let mut last: Option<Instant> = None;
        let mut left = MOST_REQUESTS;
        let past = self.host.clock.now().duration_since(as_of).as_hours() >= 24;
        asked
            .iter()
            .map(|asked| {
                if !place::is_crate_name(&asked.name) {
                    return unknown(
                        GapReason::NotApplicable,
                        "it is no name of a crate".to_owned(),
                    );
                }
                let base = format!(
                    "{}/api/v1/crates/{}",
                    api.base.trim_end_matches('/'),
                    asked.name
                );
                let mut ask = |what: &str, holds: &dyn Fn(&[u8]) -> bool| {
                    self.ask(&format!("{base}/{what}"), api, holds, &mut last, &mut left)
                };
                let has_it = |body: &[u8]| {
                    rows(body).is_ok_and(|rows| row(&rows, &asked.incoming).is_some())
                };
                let body = match ask("versions", &has_it) {
                    Ok(body) => body,
                    Err((reason, detail)) => return unknown(reason, detail),
                };
                let rows = match rows(&body) {
                    Ok(rows) => rows,
                    Err(detail) => return unknown(GapReason::Malformed, detail),
                };
                let delta = match delta(asked, &rows, as_of) {
                    Ok(delta) => delta,
                    Err((reason, detail)) => return unknown(reason, detail),
                };
                if past {
                    return Finding::Seen(delta);
                }
                // Without the owners the rest is as good.
                let owners = ask("owners", &|_| true).ok().and_then(|body| owners(&body));
                Finding::Seen(PublisherDelta {
                    owners: owners.unwrap_or_default(),
                    ..delta
                })
            })
            .collect()
    }

    /// One answer: from the own cache where that is current or holds what is
    /// wanted, else from the network, at the pace that the registry asks for.
    fn ask(
        &self,
        url: &str,
        api: &PublisherApi,
        holds: &dyn Fn(&[u8]) -> bool,
        last: &mut Option<Instant>,
        left: &mut usize,
    ) -> Result<Vec<u8>, (GapReason, String)> {
        let path = self.access.cache_dir.as_ref().map(|dir| {
            let name = super::archive::sha256(url.as_bytes());
            dir.join("publishers").join(name)
        });
        let kept = path
            .as_ref()
            .and_then(|path| self.host.files.read(path, 2 * LARGEST).ok())
            .and_then(cache::decode)
            .filter(|kept| kept.url == url);
        let now = self.host.clock.now();
        if let Some(kept) = &kept {
            let age = now.duration_since(kept.fetched).unsigned_abs();
            let owners = url.ends_with("/owners");
            if age <= api.max_age || (!owners || !self.access.fetch) && holds(&kept.body) {
                return Ok(kept.body.clone());
            }
        }
        if let Some(why) = self.no_network() {
            return Err((
                GapReason::OfflineAndNotCached,
                format!("no cache holds it; {why}"),
            ));
        }
        if *left == 0 {
            let detail = format!("{MOST_REQUESTS} requests were made, and no more are in one run");
            return Err((GapReason::OverLimit, detail));
        }
        *left -= 1;
        if let Some(at) = last {
            std::thread::sleep(api.pause.saturating_sub(at.elapsed()));
        }
        *last = Some(Instant::now());
        let get = Get {
            url: url.to_owned(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            limit: LARGEST,
        };
        let net = self.host.net.as_ref();
        let answer = net
            .and_then(|net| net.get_all(std::slice::from_ref(&get)).pop())
            .ok_or_else(|| (GapReason::FetchFailed, "it was not asked".to_owned()))?;
        let response = answer.map_err(|error| (GapReason::FetchFailed, error.to_string()))?;
        match response.status {
            200 => {}
            404 => {
                return Err((
                    GapReason::NotInRegistry,
                    format!("{} does not know it", api.base),
                ));
            }
            status => {
                let detail = format!("{} answered with HTTP status {status}", api.base);
                return Err((GapReason::FetchFailed, detail));
            }
        }
        if let (Some(path), true) = (&path, holds(&response.body)) {
            let kept = Kept {
                url: url.to_owned(),
                fetched: now,
                known: true,
                etag: None,
                last_modified: None,
                body: response.body.clone(),
            };
            // Without the cache the next run asks again, and is no worse.
            drop(self.host.files.write(path, &cache::encode(&kept)));
        }
        Ok(response.body)
    }
}

fn unknown(reason: GapReason, detail: String) -> Finding<PublisherDelta> {
    Finding::Unknown(Gap {
        fact: FactKind::Publisher,
        reason,
        detail,
    })
}

fn rows(body: &[u8]) -> Result<Vec<Row>, String> {
    serde_json::from_slice::<Versions>(body)
        .map(|answer| answer.versions)
        .map_err(|error| format!("the answer of the registry cannot be read: {error}"))
}

fn row<'r>(rows: &'r [Row], version: &Version) -> Option<&'r Row> {
    let wanted = version.to_string();
    // The index leaves the build out of no version, and neither does the site.
    rows.iter().find(|row| row.num == wanted)
}

fn owners(body: &[u8]) -> Option<Vec<String>> {
    let answer: Owners = serde_json::from_slice(body).ok()?;
    let mut owners: Vec<String> = answer.users.iter().map(|user| name(&user.login)).collect();
    owners.sort();
    owners.dedup();
    owners.truncate(MOST_OWNERS);
    Some(owners)
}

/// A name from outside, cut and without control characters.
fn name(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST_NAME)
        .collect()
}

fn publisher(row: &Row) -> Option<Publisher> {
    if let Some(workflow) = &row.trustpub_data {
        return Some(Publisher::Trusted {
            provider: name(&workflow.provider),
            repository: name(&workflow.repository),
        });
    }
    let login = name(&row.published_by.as_ref()?.login);
    (!login.is_empty()).then_some(Publisher::Account(login))
}

fn delta(
    asked: &Asked,
    rows: &[Row],
    as_of: Timestamp,
) -> Result<PublisherDelta, (GapReason, String)> {
    let Some(incoming) = row(rows, &asked.incoming) else {
        let detail = format!("the registry does not list version {}", asked.incoming);
        return Err((GapReason::NotInRegistry, detail));
    };
    let at = |row: &Row| row.created_at.as_ref()?.parse::<Timestamp>().ok();
    let Some(by) = publisher(incoming) else {
        // The oldest releases have none on record.
        let detail = "the registry has no publisher on record for it".to_owned();
        return Err((GapReason::NotRecorded, detail));
    };
    let own = at(incoming);
    let is_earlier = |other: &&Row| {
        let time = at(other);
        other.num != incoming.num
            && time.is_some_and(|time| time <= as_of && own.is_none_or(|own| time < own))
    };
    let earlier: Vec<Publisher> = rows
        .iter()
        .filter(is_earlier)
        .filter_map(publisher)
        .collect();
    Ok(PublisherDelta {
        outgoing: asked
            .outgoing
            .as_ref()
            .and_then(|version| publisher(row(rows, version)?)),
        earlier: earlier.len(),
        earlier_by_same: earlier.iter().filter(|other| **other == by).count(),
        incoming: by,
        owners: Vec::new(),
    })
}
