//! The host that commands run on, with the cache that machines share.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use cargo_canary::host::{Host, RealNet, SharedFiles, SharedNews, SharedPlace, SharedPlaceError};

use crate::args::DataArgs;
use crate::error::Failure;
use crate::output;

/// The variable that names a shared cache.
const PLACE: &str = "CARGO_CANARY_SHARED_CACHE";
/// The variable with the key that its entries are sealed with.
const KEY: &str = "CARGO_CANARY_SHARED_CACHE_KEY";

/// What happened with the shared cache in this run.
static NEWS: OnceLock<Arc<SharedNews>> = OnceLock::new();

/// The host this program runs on, with a network unless there is to be none.
pub(super) fn host(data: &DataArgs) -> Result<Host, Failure> {
    let closed = data.offline || data.locked_data;
    let mut host = if closed {
        Host::real(None)
    } else {
        Host::real(Some(Box::new(RealNet::default())))
    };
    let variable = |name: &str| host.env.get(name).and_then(|value| value.to_str());
    let named = data.shared_cache.as_deref().or_else(|| variable(PLACE));
    let Some(named) = named.filter(|text| !text.is_empty()) else {
        return Ok(host);
    };
    let key = variable(KEY).filter(|key| !key.is_empty());
    let key = key.map(|key| key.as_bytes().to_vec());
    let place = SharedPlace::parse(named, &host.env, Host::real(None).files)?;
    // Without a network what needs one is as if it were not named.
    if closed && place.is_remote() {
        return Ok(host);
    }
    let cache = data.cache.clone().or_else(|| host.env.cache_dir());
    let Some(cache) = cache else { return Ok(host) };
    let nothing: Box<dyn cargo_canary::host::Files> = Host::real(None).files;
    let inner = std::mem::replace(&mut host.files, nothing);
    let shared = SharedFiles::new(inner, Path::new(&cache).to_owned(), place, key);
    // One run has one host with a shared cache.
    let _ = NEWS.set(shared.news());
    host.files = Box::new(shared);
    Ok(host)
}

/// Says what went wrong with the shared cache, at the end of a run.
pub(crate) fn say() {
    let Some(news) = NEWS.get() else { return };
    let mut lines = Vec::new();
    if let Some(trouble) = news.trouble() {
        lines.push(format!("it was not used any further: {trouble}"));
    }
    match news.ignored() {
        0 => {}
        1 => lines.push("1 entry was torn, changed or not made with the key: ignored".to_owned()),
        many => lines.push(format!(
            "{many} entries were torn, changed or not made with the key: ignored"
        )),
    }
    if !lines.is_empty() {
        lines.push(format!(
            "{} entries read, {} written",
            news.read(),
            news.written()
        ));
        output::notes("the shared cache", &lines);
    }
}

impl From<SharedPlaceError> for Failure {
    fn from(error: SharedPlaceError) -> Self {
        let failure = Self::input("failed to use the shared cache").caused_by(&error);
        match error {
            SharedPlaceError::Unknown { .. } => failure.hint(
                "write `--shared-cache s3://BUCKET/PREFIX` or `--shared-cache file:///DIRECTORY`",
            ),
            SharedPlaceError::NotBuiltIn => {
                failure.hint("build it with its default features, or share a directory")
            }
            SharedPlaceError::Unusable { .. } => failure
                .hint("`docs/shared-cache.md` names the parts of the address and the variables"),
        }
    }
}
