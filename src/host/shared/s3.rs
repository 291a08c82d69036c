//! A bucket of an S3-compatible object store. Requests are signed by `rusty-s3`
//! (AWS Signature Version 4, in the query) and sent by our own client.

use std::time::Duration;

use reqwest::Url;
use rusty_s3::{Bucket as Signer, Credentials, S3Action as _, UrlStyle};

use super::{Objects, SharedPlaceError};
use crate::host::{Environment, Get, Net as _, NetLimits, Put, RealNet};

/// A signed request is good for so long.
const GOOD_FOR: Duration = Duration::from_secs(300);

/// A bucket.
pub(super) struct Bucket {
    signer: Signer,
    credentials: Option<Credentials>,
    prefix: String,
    net: RealNet,
}

/// A cache must not be what a run waits for.
fn limits() -> NetLimits {
    NetLimits {
        connect: Duration::from_secs(3),
        silence: Duration::from_secs(10),
        total: Duration::from_secs(20),
        repeats: 1,
        ..NetLimits::default()
    }
}

impl Bucket {
    pub(super) fn parse(text: &str, env: &Environment) -> Result<Self, SharedPlaceError> {
        let unusable = |detail: String| SharedPlaceError::Unusable { detail };
        let url = Url::parse(text).map_err(|error| unusable(error.to_string()))?;
        let named = |key: &str| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.into_owned())
        };
        let variable = |name: &str| {
            let value = env.get(name).and_then(|value| value.to_str());
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let region = named("region")
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = named("endpoint").or_else(|| variable("AWS_ENDPOINT_URL"));
        // Other stores seldom have a host name for each bucket.
        let style = match endpoint {
            Some(_) => UrlStyle::Path,
            None => UrlStyle::VirtualHost,
        };
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let endpoint = Url::parse(&endpoint)
            .map_err(|error| unusable(format!("the endpoint is no address: {error}")))?;
        let inward = matches!(
            endpoint.host_str(),
            Some("127.0.0.1" | "localhost" | "[::1]")
        );
        if endpoint.scheme() != "https" && !(endpoint.scheme() == "http" && inward) {
            return Err(unusable(
                "the endpoint is not reached over HTTPS".to_owned(),
            ));
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        let signer = Signer::new(endpoint, style, bucket, region)
            .map_err(|error| unusable(error.to_string()))?;
        let credentials = variable("AWS_ACCESS_KEY_ID")
            .zip(variable("AWS_SECRET_ACCESS_KEY"))
            .map(|(id, secret)| match variable("AWS_SESSION_TOKEN") {
                Some(token) => Credentials::new_with_token(id, secret, token),
                None => Credentials::new(id, secret),
            });
        let prefix = url.path().trim_matches('/');
        Ok(Self {
            signer,
            credentials,
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            net: RealNet::new(limits()),
        })
    }

    fn object(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Objects for Bucket {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        let object = self.object(name);
        let action = self.signer.get_object(self.credentials.as_ref(), &object);
        let get = Get {
            url: action.sign(GOOD_FOR).to_string(),
            headers: Vec::new(),
            limit,
        };
        let answer = self.net.get_all(std::slice::from_ref(&get)).pop();
        let answer = answer
            .ok_or("it was not asked")?
            .map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(format!("it answered with HTTP status {status}")),
        }
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let object = self.object(name);
        let action = self.signer.put_object(self.credentials.as_ref(), &object);
        let put = Put {
            url: action.sign(GOOD_FOR).to_string(),
            body: content.to_vec(),
        };
        match self.net.put(&put).map_err(|error| error.to_string())? {
            200..=299 => Ok(()),
            status => Err(format!("it answered with HTTP status {status}")),
        }
    }
}
