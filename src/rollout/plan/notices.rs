//! Words to people, to be pasted: users, and the engineer on call.

use std::fmt::Write as _;

use super::checklist::{code, plain};
use super::settings::{listed, time};
use super::{Plan, queries};

impl Plan {
    /// The notice for users.
    #[must_use]
    pub fn notice_for_users(&self) -> String {
        let service = plain(&self.service.name);
        let shares: Vec<String> = self
            .steps
            .iter()
            .map(|step| format!("{} %", step.weight))
            .collect();
        let shares: Vec<&str> = shares.iter().map(String::as_str).collect();
        format!(
            "**Maintenance of {service}**\n\nFrom {} on we bring a new version of {service} into service. It holds updates of \
             libraries, and no change that you should notice. It comes step by step: for \
             {} it serves {} of the requests, and all of them only when it has shown that it \
             is sound. We watch it all that time, and go back within minutes if it is not.\n\n\
             If something is slow or fails, tell us when and what you did: {}.\n",
            self.subject.day,
            time(self.duration),
            listed(&shares),
            plain(&self.service.contact)
        )
    }

    /// The notice for the engineer on call.
    #[must_use]
    pub fn notice_on_call(&self) -> String {
        let subject = &self.subject;
        let mut out = format!(
            "**Canary of {}, from {} on, {}**\n\nWhat changes: ",
            plain(&self.service.name),
            subject.day,
            time(self.duration)
        );
        let roots: Vec<String> = subject
            .updates
            .iter()
            .filter(|update| update.root)
            .map(|update| {
                format!(
                    "{} {} (risk {})",
                    code(&update.package),
                    plain(&update.step),
                    update.score
                )
            })
            .collect();
        let names: Vec<&str> = roots.iter().map(String::as_str).collect();
        let _ = writeln!(out, "{}.", listed(&names));
        for update in subject
            .updates
            .iter()
            .filter(|update| !update.incidents.is_empty())
            .take(5)
        {
            let _ = writeln!(
                out,
                "Seen before: {}: {}.",
                code(&update.package),
                plain(&update.incidents.join("; "))
            );
        }
        out.push_str("\nWhat to watch:\n\n");
        for watch in &self.watch {
            let _ = writeln!(
                out,
                "- {}: {}",
                plain(&watch.metric),
                plain(&watch.because.join("; "))
            );
        }
        out.push_str("\nGo back at once, and ask nobody, on:\n\n");
        for metric in self.watched() {
            let check = queries::of(self, metric);
            let _ = writeln!(out, "- {}", plain(&check.says));
        }
        out.push_str("- an instance that is ended for want of memory, or restarted more than once\n\nHow to go back:\n\n");
        for line in self.way_back() {
            let _ = writeln!(out, "- {line}");
        }
        out.push_str(
            "\nMemory that grows looks like a slow network or database first: look at memory, \
             descriptors and restarts of the canary before you look there.\n",
        );
        out
    }
}
