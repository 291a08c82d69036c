//! Policies from a URL, pinned by the SHA-256 of what it gives. What was fetched
//! once is kept; since its digest is known it is good for ever.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::host::{Get, Host};

/// How large a policy may be, in bytes.
const LIMIT: u64 = 1 << 20;

/// Where pinned policies are had from.
pub(super) struct Pinned<'h> {
    pub(super) host: &'h Host,
    pub(super) cache: Option<&'h Path>,
    pub(super) fetch: bool,
}

impl Pinned<'_> {
    /// The policy that a pinned name stands for; `None` when it is no such name
    /// and a file is to be looked for.
    pub(super) fn resolve(
        &self,
        named: &str,
        by: &str,
    ) -> Option<Result<(String, String), String>> {
        let Some((url, digest)) = named.split_once("#sha256=") else {
            // What comes from elsewhere reads no file of this machine.
            return by.contains("#sha256=").then(|| {
                Err(format!("a policy from a URL extends a built-in one or another URL, not the file `{named}`"))
            });
        };
        Some(self.get(url, digest).map(|text| (named.to_owned(), text)))
    }

    fn get(&self, url: &str, digest: &str) -> Result<String, String> {
        let kept = self.place(digest);
        if let Some(place) = &kept
            && let Ok(bytes) = self.host.files.read(place, LIMIT)
            && hex(&bytes) == digest
        {
            return text(bytes);
        }
        let net = self.host.net.as_ref().filter(|_| self.fetch).ok_or_else(|| {
            format!("`{url}` is not in the cache, and nothing is to be fetched now; run once with a network")
        })?;
        let get = Get {
            url: url.to_owned(),
            headers: Vec::new(),
            limit: LIMIT,
        };
        let answer = net
            .get_all(std::slice::from_ref(&get))
            .pop()
            .ok_or_else(|| format!("`{url}` was not asked"))?
            .map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!(
                "`{url}` answered with HTTP status {}",
                answer.status
            ));
        }
        let found = hex(&answer.body);
        if found != digest {
            return Err(format!(
                "`{url}` gives something else than what is pinned: its SHA-256 is {found}"
            ));
        }
        if let Some(place) = kept {
            // Without a cache it is fetched again the next time.
            drop(self.host.files.write(&place, &answer.body));
        }
        text(answer.body)
    }

    fn place(&self, digest: &str) -> Option<PathBuf> {
        Some(self.cache?.join("policies").join(format!("{digest}.toml")))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
