//! The door to the network. Costs nothing until the first request is made.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{StatusCode, Url};

use super::causes::with_causes;
use super::{Get, Net, NetError, Put, Response};

/// The limits under which requests are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetLimits {
    /// A connection must stand within this time.
    pub connect: Duration,
    /// The other side may be silent for so long.
    pub silence: Duration,
    /// A request with all its repetitions and redirects may take so long.
    pub total: Duration,
    /// A request is repeated at most so often.
    pub repeats: u32,
    /// The pause before the first repetition; it doubles with each.
    pub pause: Duration,
    /// A longer wish of the other side (`Retry-After`) is not waited for.
    pub longest_pause: Duration,
    /// So many requests are under way at once.
    pub at_once: usize,
    /// At most so many redirects are followed for one request.
    pub redirects: usize,
}

impl Default for NetLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            total: Duration::from_secs(120),
            repeats: 2,
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            at_once: 32,
            redirects: 5,
        }
    }
}

/// Who this side is, and whom it trusts besides the system's authorities; all PEM.
#[derive(Clone, Default)]
pub struct Identity {
    /// A client's certificate with its key.
    pub client: Option<Vec<u8>>,
    /// Certificates of further authorities.
    pub roots: Option<Vec<u8>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    fn give(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, String> {
        let mut builder = builder;
        if let Some(pem) = &self.client {
            let identity = reqwest::Identity::from_pem(pem).map_err(|error| {
                format!(
                    "the client's certificate or key cannot be used: {}",
                    with_causes(&error)
                )
            })?;
            builder = builder.identity(identity);
        }
        if let Some(pem) = &self.roots {
            let roots = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| {
                format!(
                    "the authorities' certificates cannot be used: {}",
                    with_causes(&error)
                )
            })?;
            builder = builder.tls_certs_merge(roots);
        }
        Ok(builder)
    }
}

/// The network of this machine, over HTTP and HTTPS.
///
/// A request is repeated only when no answer came, or one that says that the
/// server is busy or broken (429, 5xx). A redirect is followed from HTTPS to
/// HTTPS only, from HTTP also to the same origin; a request that carries an
/// `authorization` header stays on its host. There are no cookies.
#[derive(Debug)]
pub struct RealNet {
    pub(super) limits: NetLimits,
    identity: Identity,
    pub(super) sent: Arc<AtomicU64>,
    engine: OnceLock<Result<Engine, String>>,
}

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) runtime: Option<tokio::runtime::Runtime>,
    pub(super) clients: Clients,
}

/// The environment can name a proxy, which knows nothing of this machine's
/// own addresses: to those goes a client without one.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    outward: reqwest::Client,
    inward: reqwest::Client,
}

impl Clients {
    pub(super) fn to(&self, url: &Url) -> &reqwest::Client {
        let host = url.host_str().unwrap_or_default();
        let inward = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if inward { &self.inward } else { &self.outward }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A plain drop would wait for what is under way, and would panic
        // inside of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Default for RealNet {
    fn default() -> Self {
        Self::new(NetLimits::default())
    }
}

impl RealNet {
    /// A network under these limits. Nothing is set up before the first request.
    #[must_use]
    pub fn new(limits: NetLimits) -> Self {
        Self {
            limits,
            identity: Identity::default(),
            sent: Arc::default(),
            engine: OnceLock::new(),
        }
    }

    /// The same with an identity. A certificate that cannot be used is told with
    /// the first request.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    pub(super) fn engine(&self) -> Result<&Engine, &str> {
        self.engine
            .get_or_init(|| Engine::start(&self.limits, &self.identity))
            .as_ref()
            .map_err(String::as_str)
    }
}

impl Engine {
    fn start(limits: &NetLimits, identity: &Identity) -> Result<Self, String> {
        // An error means that a provider is installed already, which will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!(
                    "cargo-canary/",
                    env!("CARGO_PKG_VERSION"),
                    " (dependency change auditor)"
                ))
                .connect_timeout(limits.connect)
                .read_timeout(limits.silence)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false);
            identity.give(builder)
        };
        let failed = |error: reqwest::Error| {
            format!("the HTTP client cannot be set up: {}", with_causes(&error))
        };
        let clients = Clients {
            outward: builder()?.build().map_err(failed)?,
            inward: builder()?.no_proxy().build().map_err(failed)?,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("canary-net")
            .enable_all()
            .build()
            .map_err(|error| format!("the network threads cannot be started: {error}"))?;
        Ok(Self {
            runtime: Some(runtime),
            clients,
        })
    }
}

impl Net for RealNet {
    fn get_all(&self, requests: &[Get]) -> Vec<Result<Response, NetError>> {
        if requests.is_empty() {
            return Vec::new();
        }
        let fail_all = |detail: &str| {
            requests
                .iter()
                .map(|request| {
                    Err(NetError::NoAnswer {
                        url: public(&request.url),
                        detail: detail.to_owned(),
                    })
                })
                .collect()
        };
        let engine = match self.engine() {
            Ok(engine) => engine,
            Err(detail) => return fail_all(detail),
        };
        let Some(runtime) = &engine.runtime else {
            return fail_all("the network is shut down");
        };
        let batch = Arc::new(Batch {
            clients: engine.clients.clone(),
            limits: self.limits.clone(),
            sent: Arc::clone(&self.sent),
            hosts: host_states(requests),
        });
        let jobs = requests.to_vec();
        let at_once = self.limits.at_once.max(1);
        let (sender, receiver) = mpsc::channel();
        runtime.spawn(async move {
            let answers: Vec<_> = futures_util::stream::iter(jobs)
                .map(|job| {
                    let batch = Arc::clone(&batch);
                    async move { batch.get(&job).await }
                })
                .buffered(at_once)
                .collect()
                .await;
            drop(sender.send(answers));
        });
        receiver
            .recv()
            .unwrap_or_else(|_| fail_all("the network thread ended"))
    }

    fn put(&self, put: &Put) -> Result<u16, NetError> {
        self.send_put(put)
    }

    fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// What the requests of one call share.
struct Batch {
    clients: Clients,
    limits: NetLimits,
    sent: Arc<AtomicU64>,
    hosts: BTreeMap<String, HostState>,
}

/// How a host behaved so far in one call. What stands in the queue for a host
/// that does not answer is not tried, or a dead server would cost its time
/// limit many times over.
#[derive(Debug, Default)]
struct HostState {
    answered: AtomicBool,
    /// Failures since the last answer.
    failures: AtomicUsize,
}

impl HostState {
    fn note(&self, answered: bool) {
        if answered {
            self.answered.store(true, Ordering::Relaxed);
            self.failures.store(0, Ordering::Relaxed);
        } else {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_given_up(&self, at_once: usize) -> bool {
        let failures = self.failures.load(Ordering::Relaxed);
        match self.answered.load(Ordering::Relaxed) {
            false => failures > 0,
            true => failures >= at_once.max(1),
        }
    }
}

fn host_states(requests: &[Get]) -> BTreeMap<String, HostState> {
    requests
        .iter()
        .filter_map(|request| Url::parse(&request.url).ok())
        .map(|url| (url.origin().ascii_serialization(), HostState::default()))
        .collect()
}

/// How one attempt ended without an answer.
enum Failure {
    /// No connection.
    Connect(String),
    /// The connection broke, or what came over it cannot be read.
    Broken(String),
    /// The other side was silent for too long.
    Silent,
    /// All attempts together took too long.
    OutOfTime,
    /// The body has more bytes than allowed.
    TooLarge,
    /// The request or the redirect is not one that is made.
    Refused(String),
}

impl Batch {
    async fn get(&self, request: &Get) -> Result<Response, NetError> {
        let shown = public(&request.url);
        let no_answer = |detail: String| NetError::NoAnswer {
            url: shown.clone(),
            detail,
        };
        let url = Url::parse(&request.url).map_err(|error| no_answer(error.to_string()))?;
        let host = self.hosts.get(&url.origin().ascii_serialization());
        let limited =
            tokio::time::timeout(self.limits.total, self.with_repeats(request, url, host));
        let outcome = limited.await.unwrap_or(Err(Failure::OutOfTime));
        if let Some(host) = host {
            let failed = match &outcome {
                Err(Failure::Connect(_) | Failure::Silent | Failure::OutOfTime) => true,
                Err(Failure::Broken(_) | Failure::TooLarge | Failure::Refused(_)) | Ok(_) => false,
            };
            host.note(!failed);
        }
        outcome.map_err(|failure| match failure {
            Failure::Connect(detail) | Failure::Broken(detail) | Failure::Refused(detail) => {
                no_answer(detail)
            }
            Failure::Silent => NetError::TimedOut {
                url: shown.clone(),
                seconds: self.limits.silence.as_secs(),
            },
            Failure::OutOfTime => NetError::TimedOut {
                url: shown.clone(),
                seconds: self.limits.total.as_secs(),
            },
            Failure::TooLarge => NetError::TooLarge {
                url: shown.clone(),
                limit: request.limit,
            },
        })
    }

    async fn with_repeats(
        &self,
        request: &Get,
        url: Url,
        host: Option<&HostState>,
    ) -> Result<Response, Failure> {
        let mut pause = self.limits.pause;
        let mut repeats = 0;
        loop {
            if host.is_some_and(|host| host.is_given_up(self.limits.at_once)) {
                return Err(Failure::Connect(
                    "not tried, because this host did not answer other requests".to_owned(),
                ));
            }
            let last = repeats >= self.limits.repeats;
            match self.follow(request, url.clone()).await {
                Ok(response) if !last && is_passing(response.status) => {
                    let wish = wished_pause(&response).unwrap_or_default();
                    if wish > self.limits.longest_pause {
                        return Ok(response);
                    }
                    pause = pause.max(wish);
                }
                Err(Failure::Connect(_) | Failure::Broken(_)) if !last => {}
                outcome => return outcome,
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            repeats += 1;
        }
    }

    /// One attempt, with the redirects that it meets.
    async fn follow(&self, request: &Get, mut url: Url) -> Result<Response, Failure> {
        let headers = header_map(&request.headers)?;
        let secret = headers.contains_key(AUTHORIZATION);
        for _ in 0..=self.limits.redirects {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let answer = self
                .clients
                .to(&url)
                .get(url.clone())
                .headers(headers.clone())
                .send()
                .await
                .map_err(failure)?;
            let status = answer.status();
            let target = match status {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => answer.headers().get(LOCATION),
                _ => None,
            };
            let Some(target) = target else {
                return read(answer, request.limit).await;
            };
            let target = target
                .to_str()
                .ok()
                .and_then(|target| url.join(target).ok())
                .ok_or_else(|| Failure::Refused("it redirects to no valid address".to_owned()))?;
            if !may_redirect(&url, &target, secret) {
                return Err(Failure::Refused(format!(
                    "its redirect to {} is not followed",
                    public(target.as_str())
                )));
            }
            url = target;
        }
        Err(Failure::Refused(format!(
            "more than {} redirects",
            self.limits.redirects
        )))
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // The value is not named: it can be a token.
        let refused = || Failure::Refused(format!("the header `{name}` cannot be sent"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| refused())?;
        value.set_sensitive(key == AUTHORIZATION);
        map.append(key, value);
    }
    Ok(map)
}

fn may_redirect(from: &Url, to: &Url, secret: bool) -> bool {
    let same_origin = from.origin() == to.origin();
    match (from.scheme(), to.scheme()) {
        ("https", "https") => !secret || same_origin,
        ("http", "https") => !secret || from.host() == to.host(),
        ("http", "http") => same_origin,
        _ => false,
    }
}

async fn read(mut answer: reqwest::Response, limit: u64) -> Result<Response, Failure> {
    if answer.content_length().is_some_and(|length| length > limit) {
        return Err(Failure::TooLarge);
    }
    let status = answer.status().as_u16();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in answer.headers() {
        if let Ok(value) = value.to_str() {
            headers
                .entry(name.as_str().to_owned())
                .or_insert_with(|| value.to_owned());
        }
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failure)? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status,
        headers,
        body,
    })
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    // A connection that is not made in time is a failed connection.
    if error.is_connect() {
        Failure::Connect(with_causes(&error))
    } else if error.is_timeout() {
        Failure::Silent
    } else if error.is_builder() {
        Failure::Refused(with_causes(&error))
    } else {
        Failure::Broken(with_causes(&error))
    }
}

fn is_passing(status: u16) -> bool {
    status == 429 || (500..=599).contains(&status)
}

/// The pause that the other side asks for, in its form of whole seconds.
fn wished_pause(response: &Response) -> Option<Duration> {
    response
        .headers
        .get(RETRY_AFTER.as_str())
        .and_then(|value| value.trim().parse().ok())
        .map(Duration::from_secs)
}

/// The address without user name, password, query and fragment, which can
/// all hold secrets.
pub(super) fn public(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) => {
            // These fail only where there is no place for them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        Err(_) => "an address that cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn nothing_is_set_up_before_the_first_request() {
        let net = RealNet::default();
        assert!(net.get_all(&[]).is_empty());
        assert!(net.engine.get().is_none());
        assert_eq!(net.requests(), 0);
    }

    #[test]
    fn a_redirect_never_leaves_https_and_a_secret_never_leaves_its_host() {
        let (a, b) = (url("https://a.example/x"), url("https://b.example/y"));
        assert!(may_redirect(&a, &b, false));
        assert!(!may_redirect(&a, &b, true));
        assert!(may_redirect(&a, &url("https://a.example/z"), true));
        assert!(!may_redirect(&a, &url("http://a.example/x"), false));
        assert!(!may_redirect(&a, &url("file:///etc/passwd"), false));
        let plain = url("http://a.example/");
        assert!(may_redirect(&plain, &url("http://a.example/y"), true));
        assert!(!may_redirect(&plain, &url("http://a.example:81/"), false));
        assert!(may_redirect(&plain, &a, true));
    }

    #[test]
    fn what_an_error_shows_of_an_address_holds_no_secret() {
        assert_eq!(
            public("https://me:secret@a.example/x?token=abc#frag"),
            "https://a.example/x"
        );
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_named_without_its_value() {
        let Err(Failure::Refused(detail)) =
            header_map(&[("authorization".to_owned(), "to\nken".to_owned())])
        else {
            panic!("accepted");
        };
        assert!(detail.contains("authorization") && !detail.contains("ken"));
    }
}
