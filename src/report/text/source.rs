//! What an update does to the source, for `explain`.

use crate::audit::JudgedChange;
use crate::facts::Finding;

use super::page::{Ink, Page};
use crate::report::words;

/// So many findings are shown; the JSON report has all.
const SHOWN: usize = 24;

pub(super) fn source(page: &mut Page, judged: &JudgedChange) {
    // A gap stands below, with the other gaps.
    let Finding::Seen(delta) = &judged.dossier.source else {
        return;
    };
    page.heading("  In the source");
    page.wrapped(Ink::Plain, "    ", "    ", &words::source_summary(delta));
    for finding in delta.findings.iter().take(SHOWN) {
        let times = if finding.count > 1 {
            format!(" ({} places)", finding.count)
        } else {
            String::new()
        };
        let text = format!(
            "{} {}, {}: {}{times}",
            finding.shift.as_str(),
            finding.topic.as_str(),
            finding.part.as_str(),
            finding.what
        );
        page.wrapped(Ink::Plain, "    - ", "      ", &text);
        for place in finding.witnesses.iter().take(2) {
            page.wrapped(Ink::Faint, "        ", "          ", &place.to_string());
        }
    }
    let more = delta.findings.len().saturating_sub(SHOWN);
    if more > 0 {
        let text = format!(
            "{} in the JSON report",
            words::count(more, "further finding")
        );
        page.wrapped(Ink::Faint, "    ", "    ", &text);
    }
    for left in &delta.not_read {
        page.wrapped(Ink::Plain, "    - ", "      ", &format!("not read: {left}"));
    }
}
