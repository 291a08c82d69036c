//! Where a registry's archives are downloaded from.

use std::sync::Arc;

use serde::Deserialize;

use super::archive::Missing;
use super::cache::{self, Kept};
use super::config::Secret;
use super::place::{self, Closed, Place};
use super::{Registry, lock};
use crate::facts::GapReason;
use crate::host::Get;
use crate::pkg::{PackageId, Source};

/// The settings of a registry, with more bytes than this, are not read.
const LARGEST_SETTINGS: u64 = 64 << 10;

/// The result of one search for it, which is remembered.
pub(super) type Found = Result<Arc<DownloadPlace>, Missing>;

/// Where a registry's archives are downloaded from.
#[derive(Debug)]
pub(super) struct DownloadPlace {
    pub(super) template: String,
    pub(super) token: Option<Secret>,
}

/// The settings that a registry serves beside its index
/// (<https://doc.rust-lang.org/cargo/reference/registry-index.html#index-configuration>).
#[derive(Deserialize)]
struct Settings {
    dl: String,
    #[serde(default, rename = "auth-required")]
    auth_required: bool,
}

impl Registry<'_> {
    /// Where the archives of a registry are downloaded from; looked up once.
    pub(super) fn download_place(&self, source: &Source) -> Found {
        if let Some(known) = lock(&self.download_places).get(source) {
            return known.clone();
        }
        let found = self.find_download_place(source).map(Arc::new);
        lock(&self.download_places).insert(source.clone(), found.clone());
        found
    }

    fn find_download_place(&self, source: &Source) -> Result<DownloadPlace, Missing> {
        let place = self.place(source).ok_or_else(|| {
            let text = format!("{source} is no registry");
            (GapReason::NotApplicable, text)
        })?;
        let base = match &place.index {
            Ok(base) => base,
            Err(Closed::Unasked(why)) => return Err((GapReason::OfflineAndNotCached, why.clone())),
            Err(Closed::NoIndex(why)) => return Err((GapReason::NotApplicable, why.clone())),
        };
        let settings = match self.settings_on_disk(&place) {
            Some(settings) => settings,
            None => self.fetch_settings(source, &place, base)?,
        };
        // What is asked over TLS is not fetched without it.
        let is_safe = settings.dl.starts_with("https://")
            || (settings.dl.starts_with("http://") && base.starts_with("http://"));
        if !is_safe {
            let text = format!("the settings of {source} name no usable place for downloads");
            return Err((GapReason::Malformed, text));
        }
        let token = place
            .token
            .clone()
            .filter(|_| settings.auth_required && place::keeps_secrets(&settings.dl));
        Ok(DownloadPlace {
            template: template(&settings.dl),
            token,
        })
    }

    /// The settings in Cargo's cache or in the own one. They change so seldom
    /// that any copy will do.
    fn settings_on_disk(&self, place: &Place) -> Option<Settings> {
        let ident = place.own_ident();
        let cargo = self.access.cargo_home.as_ref().and_then(|home| {
            let path = home.join("registry/index").join(ident).join("config.json");
            let bytes = self.host.files.read(&path, LARGEST_SETTINGS).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        cargo.or_else(|| {
            let path = self.own_path(place, "config.json")?;
            let kept = self.host.files.read(&path, 2 * LARGEST_SETTINGS).ok()?;
            serde_json::from_slice(&cache::decode(kept)?.body).ok()
        })
    }

    fn fetch_settings(
        &self,
        source: &Source,
        place: &Place,
        base: &str,
    ) -> Result<Settings, Missing> {
        let token = place.token.iter();
        let get = Get {
            url: format!("{base}config.json"),
            headers: token
                .map(|token| ("authorization".to_owned(), token.reveal().to_owned()))
                .collect(),
            limit: LARGEST_SETTINGS,
        };
        let answer = self
            .host
            .net
            .as_ref()
            .and_then(|net| net.get_all(std::slice::from_ref(&get)).pop())
            .ok_or_else(|| (GapReason::FetchFailed, format!("{source} was not asked")))?;
        let response = answer.map_err(|error| (GapReason::FetchFailed, error.to_string()))?;
        if response.status != 200 {
            let text = format!(
                "{source} answered with HTTP status {} when asked for its settings",
                response.status
            );
            return Err((GapReason::FetchFailed, text));
        }
        let settings = serde_json::from_slice(&response.body).map_err(|_| {
            let text = format!("the settings of {source} cannot be read");
            (GapReason::Malformed, text)
        })?;
        if let Some(path) = self.own_path(place, "config.json") {
            let kept = Kept {
                url: get.url,
                fetched: self.host.clock.now(),
                known: true,
                etag: None,
                last_modified: None,
                body: response.body,
            };
            drop(self.host.files.write(&path, &cache::encode(&kept)));
        }
        Ok(settings)
    }
}

const MARKERS: [&str; 5] = [
    "{crate}",
    "{version}",
    "{prefix}",
    "{lowerprefix}",
    "{sha256-checksum}",
];

/// The template of download addresses; one without any marker means the default path.
fn template(dl: &str) -> String {
    if MARKERS.iter().any(|marker| dl.contains(marker)) {
        dl.to_owned()
    } else {
        format!(
            "{}/{{crate}}/{{version}}/download",
            dl.trim_end_matches('/')
        )
    }
}

pub(super) fn address(template: &str, id: &PackageId, checksum: &str) -> String {
    template
        .replace("{crate}", &id.name)
        .replace("{version}", &id.version.to_string())
        .replace("{prefix}", &place::prefix(&id.name))
        .replace(
            "{lowerprefix}",
            &place::prefix(&id.name.to_ascii_lowercase()),
        )
        .replace("{sha256-checksum}", checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_download_follows_the_registrys_template() {
        let id = PackageId {
            name: "MyCrate".to_owned(),
            version: "1.0.0+x".parse().unwrap(),
            source: Source::CratesIo,
        };
        let made = |dl: &str| address(&template(dl), &id, "5a");
        assert_eq!(
            made("https://d.example/api/"),
            "https://d.example/api/MyCrate/1.0.0+x/download"
        );
        assert_eq!(
            made(
                "https://d.example/{lowerprefix}/{prefix}/{crate}-{version}.crate?{sha256-checksum}"
            ),
            "https://d.example/my/cr/My/Cr/MyCrate-1.0.0+x.crate?5a"
        );
    }
}
