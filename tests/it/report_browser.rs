//! The page in a real browser: nothing in it executes but its own script,
//! nothing is asked for, and the browser has nothing to complain about.
//!
//! Runs when `CANARY_BROWSER` names a Chromium.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cargo_canary::audit::Audit;
use cargo_canary::report::{Format, Style, render, render_changelog};

use crate::support::audits::{HOSTILE, audit};

fn browser() -> Option<String> {
    let browser = std::env::var("CANARY_BROWSER").ok();
    if browser.is_none() {
        println!("skipped: CANARY_BROWSER names no browser");
    }
    browser
}

/// A proxy that answers nothing and remembers what it was asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, stop) = (Arc::<Mutex<Vec<String>>>::default(), Arc::default());
        let (into, until): (_, Arc<AtomicBool>) = (Arc::clone(&asked), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_millis(500)))
                    .unwrap();
                let mut bytes = [0; 512];
                let size = stream.read(&mut bytes).unwrap_or(0);
                let line = String::from_utf8_lossy(&bytes[..size]);
                into.lock()
                    .unwrap()
                    .push(line.lines().next().unwrap_or_default().to_owned());
                drop(stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
            }
        });
        Self {
            port,
            asked,
            stop,
            thread: Some(thread),
        }
    }

    /// What was asked for, without what a browser asks its maker for by itself.
    fn end(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
        let own = [".google.com", ".googleapis.com", ".gvt1.com"];
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|line| !line.is_empty() && !own.iter().any(|host| line.contains(host)))
            .cloned()
            .collect()
    }
}

/// What a browser made of a page.
struct Seen {
    dom: String,
    console: Vec<String>,
    asked: Vec<String>,
}

fn open(browser: &str, html: &[u8]) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, html).unwrap();
    let proxy = Proxy::start();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-default-apps",
            "--disable-extensions",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=3000",
            "--dump-dom",
            "--proxy-bypass-list=<-loopback>",
        ])
        .arg(format!("--proxy-server=http://127.0.0.1:{}", proxy.port))
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    Seen {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: log
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .map(str::to_owned)
            .collect(),
        asked: proxy.end(),
    }
}

/// Changes with every hostile text.
fn hostile() -> Audit {
    let mut all = audit(1, "first");
    for text in HOSTILE {
        let other = audit(5, text);
        all.changes.extend(other.changes);
        all.verdict.reasons.extend(other.verdict.reasons);
        all.verdict.notices.extend(other.verdict.notices);
        all.pre_existing
            .advisories
            .extend(other.pre_existing.advisories);
        all.comparison.gaps.extend(other.comparison.gaps);
        all.comparison
            .coverage
            .not_covered
            .extend(other.comparison.coverage.not_covered);
    }
    all
}

#[test]
fn nothing_executes_and_nothing_is_asked_for() {
    let Some(browser) = browser() else { return };
    let audit = hostile();
    let page = render(&audit, Format::Html, Style::default());
    let seen = open(&browser, &page);
    assert!(!seen.dom.contains("<title>owned"), "a text was executed");
    assert!(seen.dom.contains("<title>PASS: 121 changes") || seen.dom.contains("<title>BLOCKED"));
    assert!(!seen.dom.contains("<img") && !seen.dom.contains("<b>x</b>"));
    // Its own script has run.
    let all = format!(">{0} of {0}</output>", audit.changes.len());
    assert!(seen.dom.contains(&all), "the filter has not counted");
    assert_eq!(seen.console, Vec::<String>::new());
    assert_eq!(seen.asked, Vec::<String>::new());

    let changelog = render_changelog(&audit, Format::Html).unwrap();
    let seen = open(&browser, &changelog);
    assert!(seen.dom.contains("<title>Library updates"));
    assert_eq!(seen.console, Vec::<String>::new());
    assert_eq!(seen.asked, Vec::<String>::new());
}

#[test]
fn the_traps_of_this_test_are_set() {
    let Some(browser) = browser() else { return };
    // Without escaping and without a policy, all of it would be noticed.
    let page = format!(
        "<!doctype html><title>page</title>{}<img src='http://evil.example/y'><script>console.error('x')</script>",
        HOSTILE[0]
    );
    let seen = open(&browser, page.as_bytes());
    assert!(seen.dom.contains("<title>owned"), "{}", seen.dom);
    assert!(seen.asked.iter().any(|line| line.contains("evil.example")));
    assert_eq!(seen.console.len(), 1);
    // The page's own policy stops what would get through the escaping.
    let page = String::from_utf8(render(&audit(2, "x"), Format::Html, Style::default())).unwrap();
    let broken = page.replace(
        "</main>",
        "<script>document.title='owned'</script><img src='http://evil.example/y'></main>",
    );
    assert_ne!(page, broken);
    let seen = open(&browser, broken.as_bytes());
    assert!(!seen.dom.contains("<title>owned"));
    assert!(!seen.asked.iter().any(|line| line.contains("evil.example")));
    assert!(!seen.console.is_empty());
}
