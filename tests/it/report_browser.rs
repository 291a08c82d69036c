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
use sha2::{Digest as _, Sha256};

use crate::cli::program::{Scene, root};
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

/// What a script of the test's says of a page, with the page's policy taken out.
fn driven(browser: &str, audit: &Audit, script: &str) -> serde_json::Value {
    let page = String::from_utf8(render(audit, Format::Html, Style::default())).unwrap();
    let (before, after) = page
        .split_once("<meta http-equiv=\"Content-Security-Policy\"")
        .unwrap();
    let after = after.split_once('>').unwrap().1;
    let driver = format!(
        "<script>addEventListener('load', function () {{
           function all(of) {{ return Array.from(document.querySelectorAll(of)); }}
           function rows() {{ return all('#table tbody tr').filter(function (row) {{ return !row.hidden; }}); }}
           function change(id, to) {{
             var field = document.getElementById(id); field.value = to;
             field.dispatchEvent(new Event('input', {{ bubbles: true }}));
           }}
           var said = (function () {{ {script} }})();
           var out = document.createElement('pre'); out.id = 'said';
           out.textContent = encodeURIComponent(JSON.stringify(said));
           document.body.appendChild(out);
         }});</script></body>"
    );
    let page = format!("{before}{after}").replace("</body>", &driver);
    let seen = open(browser, page.as_bytes());
    assert_eq!(seen.console, Vec::<String>::new());
    let said = seen.dom.split("id=\"said\">").nth(1).expect("nothing said");
    let said = said.split('<').next().unwrap();
    let mut bytes = Vec::new();
    let mut rest = said.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
        } else {
            byte
        });
    }
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn the_list_is_sorted_filtered_and_cut_by_controls_that_keys_reach() {
    let Some(browser) = browser() else { return };
    let said = driven(
        &browser,
        &audit(60, "x"),
        "var said = {};
         function names() { return rows().map(function (row) { return row.dataset.name; }); }
         said.first = rows().length;
         said.button = document.getElementById('rest').textContent;
         location.hash = '#' + all('tr[hidden]')[0].dataset.card;
         window.dispatchEvent(new Event('hashchange'));
         var target = document.getElementById(location.hash.slice(1));
         said.revealed = target.open && !target.hidden;
         said.all = rows().length;
         var head = all('th[data-sort=name]')[0], button = head.querySelector('button');
         button.click();
         said.sorted = names().join() === names().slice().sort().join() && head.getAttribute('aria-sort');
         button.click();
         said.reversed = names().join() === names().slice().sort().reverse().join() && head.getAttribute('aria-sort');
         change('by-decision', 'block');
         said.blocked = rows().length > 0 && rows().every(function (row) { return row.dataset.decision === 'block'; });
         said.cards = all('details.card').filter(function (card) { return !card.hidden; }).length === rows().length;
         change('by-decision', ''); change('by-score', '40');
         said.high = rows().length > 0 && rows().every(function (row) { return Number(row.dataset.score) >= 40; });
         change('by-score', '0'); change('find', '0007');
         said.found = names();
         said.counted = document.getElementById('shown').textContent;
         said.reach = all('#filter input, #filter select, th button, #open-all, #close-all, #theme, summary').every(function (one) {
           one.focus(); return one.tabIndex >= 0 && (document.activeElement === one || one.closest('[hidden]') !== null || !one.checkVisibility());
         });
         return said;",
    );
    let expected = serde_json::json!({
        "first": 36, "button": "Show the other 24", "revealed": true, "all": 60,
        "sorted": "ascending", "reversed": "descending", "blocked": true, "cards": true,
        "high": true, "found": ["0007-x"], "counted": "1 of 60", "reach": true,
    });
    assert_eq!(said, expected);
}

#[test]
fn words_stand_out_from_their_ground_in_both_themes() {
    let Some(browser) = browser() else { return };
    let mut audit = audit(23, "x");
    audit.changes[1].change.forced_by = None;
    let said = driven(
        &browser,
        &audit,
        "function parse(color) { return color.match(/[\\d.]+/g).map(Number); }
         function light(color) {
           var c = parse(color).slice(0, 3).map(function (v) { v /= 255; return v <= .03928 ? v / 12.92 : Math.pow((v + .055) / 1.055, 2.4); });
           return .2126 * c[0] + .7152 * c[1] + .0722 * c[2];
         }
         function ground(one) {
           var node = one.closest('g.node');
           if (node) { var fill = getComputedStyle(node.querySelector('rect')).fill; if (fill !== 'none') { return fill; } }
           for (; one; one = one.parentElement) {
             var color = getComputedStyle(one).backgroundColor, parts = parse(color);
             if (parts.length < 4 || parts[3] > 0) { return color; }
           }
           return 'rgb(255,255,255)';
         }
         var worst = {};
         all('details').forEach(function (one) { one.open = true; });
         ['light', 'dark'].forEach(function (theme) {
           document.documentElement.setAttribute('data-theme', theme);
           var walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), low = [], count = 0;
           while (walker.nextNode()) {
             var one = walker.currentNode.parentElement;
             if (!walker.currentNode.textContent.trim() || one.closest('script,option,title') || !one.checkVisibility()) { continue; }
             count += 1;
             var style = getComputedStyle(one), ink = one.closest('svg') ? style.fill : style.color;
             var a = light(ink), b = light(ground(one)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
             if (ratio < 4.5) { low.push(ratio.toFixed(2) + ' ' + one.className + ' ' + walker.currentNode.textContent.slice(0, 30)); }
           }
           worst[theme] = [count > 500, Array.from(new Set(low)).slice(0, 10)];
         });
         return worst;",
    );
    let fine = serde_json::json!([true, []]);
    assert_eq!(said, serde_json::json!({"light": fine, "dark": fine}));
}

/// The page of the demo, as of the day of its data.
fn page_of_the_demo() -> Vec<u8> {
    let scene = Scene::new();
    let arguments = "report --base fixtures/demo/before --head fixtures/demo/after \
                     --cache fixtures/demo/data --locked-data --as-of 2026-11-21T12:00:00Z";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let ran = scene.finish(scene.command(&arguments).current_dir(root()));
    ran.ends(0).as_bytes().to_vec()
}

/// Which page the picture shows: browsers draw one page in many ways.
const SHOWN: &str = "docs/pictures/page.sha256";

#[test]
fn the_picture_shows_the_page_as_it_is() {
    let digest = format!("{:x}\n", Sha256::digest(page_of_the_demo()));
    let kept = std::fs::read_to_string(root().join(SHOWN)).unwrap_or_default();
    let update = std::env::var_os("CANARY_UPDATE").is_some_and(|value| value == "1");
    assert!(
        kept == digest || update,
        "the page is another than in its picture: CANARY_BROWSER=chromium CANARY_UPDATE=1 cargo \
         test --test it report_browser, and look at docs/pictures/page.png"
    );
}

#[test]
fn the_picture_of_the_page_is_made_where_it_is_asked_for() {
    let Some(browser) = browser() else { return };
    if std::env::var_os("CANARY_UPDATE").is_none_or(|value| value != "1") {
        println!("skipped: CANARY_UPDATE is not 1");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let bytes = page_of_the_demo();
    std::fs::write(&page, &bytes).unwrap();
    let picture = root().join("docs/pictures/page.png");
    let status = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .args([
            "--no-first-run",
            "--disable-background-networking",
            "--disable-sync",
        ])
        .args([
            "--disable-component-update",
            "--disable-quic",
            "--window-size=900,1000",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .status()
        .unwrap();
    assert!(status.success());
    let size = std::fs::metadata(picture).unwrap().len();
    assert!((10_000..160_000).contains(&size), "{size}");
    let digest = format!("{:x}\n", Sha256::digest(&bytes));
    std::fs::write(root().join(SHOWN), digest).unwrap();
}
