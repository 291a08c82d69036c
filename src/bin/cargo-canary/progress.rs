//! A line on standard error that says what is under way, on terminals only.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use cargo_canary::audit::Event;
use indicatif::{ProgressBar, ProgressStyle};

/// Shows the events of an audit until it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A progress line, or nothing when it is not wanted or nobody would see it.
    pub(crate) fn new(wanted: bool) -> Self {
        if !wanted || !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar }
    }

    /// Shows what is under way.
    pub(crate) fn show(&self, event: Event) {
        let text = match event {
            Event::ReadingBuilds => "reading both builds".to_owned(),
            Event::Comparing => "comparing the graphs".to_owned(),
            Event::Gathering(1) => "gathering facts about 1 change".to_owned(),
            Event::Gathering(changes) => format!("gathering facts about {changes} changes"),
            Event::Judging => "applying the policy".to_owned(),
        };
        self.bar.set_message(text);
    }

    /// Shows how far a probe is.
    pub(crate) fn watching(&self, event: cargo_canary::probe::Event) {
        let cargo_canary::probe::Event::Watching { elapsed, total } = event;
        self.bar.set_message(format!(
            "watching both builds: {} of {} s",
            elapsed.as_secs(),
            total.as_secs()
        ));
    }
}

impl Progress {
    /// Shows words.
    pub(crate) fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    /// Leaves a line above the one that moves; on terminals and elsewhere.
    pub(crate) fn note(&self, line: &str) {
        if self.bar.is_hidden() {
            drop(writeln!(std::io::stderr().lock(), "{line}"));
        } else {
            self.bar.println(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
