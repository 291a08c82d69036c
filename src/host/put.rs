//! Putting bytes at an address. One attempt, no redirect.

use std::sync::atomic::Ordering;
use std::sync::mpsc;

use reqwest::Url;

use super::causes::with_causes;
use super::net::public;
use super::{NetError, Put, RealNet};

impl RealNet {
    /// As [`Net::put`](super::Net::put).
    pub(super) fn send_put(&self, put: &Put) -> Result<u16, NetError> {
        let no_answer = |detail: String| NetError::NoAnswer {
            url: public(&put.url),
            detail,
        };
        let url = Url::parse(&put.url).map_err(|error| no_answer(error.to_string()))?;
        let engine = self
            .engine()
            .map_err(|detail| no_answer(detail.to_owned()))?;
        let runtime = engine.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| no_answer("the network is shut down".to_owned()))?;
        let request = engine
            .clients
            .to(&url)
            .put(url)
            .timeout(self.limits.total)
            .body(put.body.clone());
        self.sent.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel();
        runtime.spawn(async move {
            drop(sender.send(request.send().await.map(|answer| answer.status().as_u16())));
        });
        let answer = receiver
            .recv()
            .map_err(|_| no_answer("the network thread ended".to_owned()))?;
        answer.map_err(|error| no_answer(with_causes(&error.without_url())))
    }
}
