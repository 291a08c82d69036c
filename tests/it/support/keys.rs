//! A browser that is driven by real key presses, over the pipe of its debugging
//! protocol (<https://chromedevtools.github.io/devtools-protocol/>).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A page that is open in a browser of its own, which ends with this.
pub(crate) struct Page {
    browser: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    sent: u64,
    /// What went wrong in the page: exceptions, and errors of the console.
    pub(crate) complaints: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Page {
    /// Opens a page as it is, with its own content policy.
    pub(crate) fn open(browser: &str, html: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        std::fs::write(&file, html).unwrap();
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        let made = Command::new("mkfifo").arg(&to).arg(&from).status().unwrap();
        assert!(made.success());
        // The browser reads what it is to do from descriptor 3 and answers on 4.
        let browser = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<\"$TO\" 4>\"$FROM\"", "sh"])
            .arg(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-sync",
                "--disable-quic",
            ])
            .args(["--remote-debugging-pipe", "--window-size=1100,800"])
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .env("TO", &to)
            .env("FROM", &from)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let open = |path: &Path, write: bool| {
            OpenOptions::new()
                .read(!write)
                .write(write)
                .open(path)
                .unwrap()
        };
        let to = open(&to, true);
        let from = BufReader::new(open(&from, false));
        let mut page = Self {
            browser,
            to,
            from,
            session: String::new(),
            sent: 0,
            complaints: Vec::new(),
            _folder: folder,
        };
        let target = page.ask("Target.createTarget", json!({"url": "about:blank"}));
        let attached = page.ask(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut page.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.ask(domain, json!({}));
        }
        page.ask(
            "Emulation.setFocusEmulationEnabled",
            json!({"enabled": true}),
        );
        page.ask(
            "Page.navigate",
            json!({"url": format!("file://{}", file.display())}),
        );
        page.until("Page.loadEventFired");
        page
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = Value::from(self.session.as_str());
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        self.sent
    }

    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let method = message["method"].as_str().unwrap_or_default();
        let wrong = method == "Runtime.exceptionThrown"
            || (method == "Log.entryAdded" && message["params"]["entry"]["level"] == "error");
        if wrong {
            self.complaints.push(message["params"].to_string());
        }
        message
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.next();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn until(&mut self, event: &str) {
        while self.next()["method"] != event {}
    }

    /// What an expression is in the page.
    pub(crate) fn is(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", params);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Presses a key: `Tab`, `Enter`, `Escape`, or a character.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            _ => (u32::from(key.to_ascii_uppercase().as_bytes()[0]), Some(key)),
        };
        let mut params = json!({"key": key, "windowsVirtualKeyCode": code});
        for kind in ["keyDown", "keyUp"] {
            params["type"] = Value::from(kind);
            if let Some(text) = text.filter(|_| kind == "keyDown") {
                params["text"] = Value::from(text);
            }
            self.ask("Input.dispatchKeyEvent", params.clone());
        }
    }

    /// Goes on by `Tab` until this holds of the page, and says how often it took.
    pub(crate) fn tab_until(&mut self, expression: &str) -> usize {
        for presses in 1..2_000 {
            self.press("Tab");
            if self.is(expression) == Value::Bool(true) {
                return presses;
            }
        }
        panic!("`{expression}` is never reached");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.send("Browser.close", json!({}));
        drop(self.browser.wait());
    }
}
