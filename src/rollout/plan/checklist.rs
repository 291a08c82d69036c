//! The plan as a checklist in Markdown, for people with or without an engine.

use std::fmt::Write as _;

use super::settings::time;
use super::{Plan, Step, Update, queries};

/// A text as code: what is in it is not read as Markdown.
pub(super) fn code(text: &str) -> String {
    let inner: String = text
        .chars()
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect();
    format!("`{inner}`")
}

/// A text as a part of a sentence.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = "\\`*_[]<|".contains(c);
            let c = if c.is_control() { '\u{fffd}' } else { c };
            escaped.then_some('\\').into_iter().chain([c])
        })
        .collect()
}

/// How many updates are named.
const NAMED: usize = 20;

impl Plan {
    /// The checklist.
    #[must_use]
    pub fn checklist(&self) -> String {
        let mut out = format!("# Canary of {}\n\n", plain(&self.service.name));
        let subject = &self.subject;
        let _ = writeln!(
            out,
            "{} to {}, verdict **{}**, risk {}. Difference {}.\n",
            code(&subject.builds.0),
            code(&subject.builds.1),
            plain(&subject.verdict),
            self.tier,
            code(&subject.difference)
        );
        if subject.verdict == "block" {
            out.push_str("The policy blocks this difference: no canary lifts that.\n\n");
        }
        let _ = writeln!(out, "**How long.** {}\n", plain(&self.sentence()));
        self.notes_in(&mut out);
        self.updates_in(&mut out);
        self.watch_in(&mut out);
        self.steps_in(&mut out);
        self.power_in(&mut out);
        out
    }

    fn notes_in(&self, out: &mut String) {
        for note in &self.notes {
            let _ = writeln!(out, "- Note: {}", plain(note));
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
    }

    fn updates_in(&self, out: &mut String) {
        out.push_str("## What changes\n\n| update | risk | verdict | for | seen before |\n|---|---|---|---|---|\n");
        for update in self.subject.updates.iter().take(NAMED) {
            let _ = writeln!(
                out,
                "| {} {} | {} | {} | {} | {} |",
                code(&update.package),
                plain(&update.step),
                update.score,
                plain(&update.decision),
                plain(&update.components.join(", ")),
                plain(&update.incidents.join("; ")),
            );
        }
        if let Some(more) = self.subject.updates.len().checked_sub(NAMED + 1) {
            let _ = writeln!(out, "\nAnd {} more.", more + 1);
        }
    }

    fn watch_in(&self, out: &mut String) {
        out.push_str("\n## What to watch\n\n");
        for watch in &self.watch {
            let _ = writeln!(
                out,
                "- **{}**: {}.",
                plain(&watch.metric),
                plain(&watch.because.join("; "))
            );
        }
        for metric in self.watched() {
            let check = queries::of(self, metric);
            let _ = writeln!(out, "- Go back on {}.", plain(&check.says));
        }
        out.push_str(
            "- Go back when an instance is ended for want of memory, or is restarted more than once.\n",
        );
        for watch in &self.missing {
            let _ = writeln!(
                out,
                "- \\[rollout\\] has no metric {}: {}. Add one; until then others stand for it.",
                code(&watch.metric),
                plain(&watch.because.join("; "))
            );
        }
    }

    fn steps_in(&self, out: &mut String) {
        let subject = &self.subject;
        let service = &self.service;
        let options = &subject.options;
        let _ = write!(
            out,
            "\n## Steps\n\n- [ ] Tell {} and the users (the notices are beside this file).\n- [ ] Put the alert rules in place: {}.\n- [ ] Start baseline and canary at about the same time, so that both are as old.\n",
            plain(&service.contact),
            code("prometheus-rules.yaml")
        );
        for Step { weight, pause } in &self.steps {
            let _ = writeln!(out, "- [ ] {weight} % for {}.", time(*pause));
        }
        let judge = format!(
            "cargo-canary rollout judge --last {}m{options} --diff-digest {} --format json --output judge.json",
            self.duration.as_secs() / 60,
            subject.difference
        );
        let sign = format!("cargo-canary evidence sign --from judge.json{options}");
        let check = format!("cargo-canary check{options}");
        let _ = writeln!(
            out,
            "- [ ] Judge: {}. Exit code 0 passes; 1 fails: go back; 4 does not decide: wait on.\n- [ ] Sign: {}.\n- [ ] Let the gate see it: {} now ends with 0 and names the record.\n- [ ] 100 %.",
            code(&judge),
            code(&sign),
            code(&check)
        );
        out.push_str("\n## How to go back\n\n");
        for line in self.way_back() {
            let _ = writeln!(out, "- {line}");
        }
    }

    /// How to go back, in lines of Markdown: the traffic first, the source after it.
    pub(super) fn way_back(&self) -> Vec<String> {
        let (name, namespace) = (&self.service.name, &self.service.namespace);
        let mut lines = vec![
            format!(
                "Argo Rollouts: {}",
                code(&format!(
                    "kubectl argo rollouts abort {name} -n {namespace}"
                ))
            ),
            format!(
                "Flagger: {} returns the old image; the canary is then analysed as any other",
                code(&format!(
                    "kubectl rollout undo deployment/{name} -n {namespace}"
                ))
            ),
            format!(
                "Without an engine: {}",
                code(&format!(
                    "kubectl rollout undo deployment/{name} -n {namespace}"
                ))
            ),
        ];
        let undo: Vec<&Update> = self
            .subject
            .updates
            .iter()
            .filter(|update| update.root && update.undo.is_some())
            .collect();
        for update in undo.iter().take(NAMED) {
            if let Some(command) = &update.undo {
                lines.push(format!(
                    "In the source, {}: {}",
                    plain(&update.package),
                    code(command)
                ));
            }
        }
        lines
    }

    fn power_in(&self, out: &mut String) {
        out.push_str("\n## What this canary can show\n\n| metric | smallest leak that matters | needs | shown after all | noise |\n|---|---|---|---|---|\n");
        for power in &self.power {
            let noise = match power.noise.over {
                Some(over) => format!("measured over {}", time(over)),
                None => "assumed".to_owned(),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {noise} |",
                plain(&power.metric),
                power.rate(power.matters),
                time(power.needed),
                power.rate(power.visible),
            );
        }
    }
}
