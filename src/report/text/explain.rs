//! One change with all its evidence.

use crate::audit::{Audit, JudgedChange};
use crate::facts::{Finding, Published, PublisherDelta};

use super::page::{Ink, Page, column};
use super::{changes, ink_of};
use crate::report::{evidence, words};

pub(super) fn one(page: &mut Page, audit: &Audit, judged: &JudgedChange) {
    let change = &judged.change;
    page.gap();
    changes::title(page, judged);
    page.line(&[
        (Ink::Plain, "    decision "),
        (ink_of(judged.decision), judged.decision.as_str()),
        (Ink::Plain, ", kind "),
        (Ink::Plain, change.kind.as_str()),
    ]);
    for reason in audit
        .verdict
        .reasons
        .iter()
        .filter(|reason| reason.change.as_deref() == Some(&change.id))
    {
        page.wrapped(
            Ink::Plain,
            "    - ",
            "      ",
            &format!(
                "{} ({}): {}",
                reason.decision.as_str(),
                reason.rule,
                reason.because
            ),
        );
        if let Some(way_out) = &reason.way_out {
            page.wrapped(Ink::Plain, "      ", "      ", way_out);
        }
    }
    for met in evidence::met_of(audit, &change.id) {
        let words = format!("{}, {}", met.reason.rule, evidence::met(met));
        page.wrapped(Ink::Good, "    - ", "      ", &words);
    }
    signals(page, judged);
    links(page, judged);
    release(page, judged);
    super::source::source(page, judged);
    why_here(page, judged);
    gaps(page, judged);
}

fn signals(page: &mut Page, judged: &JudgedChange) {
    page.heading("  How the score adds up");
    if judged.assessment.signals.is_empty() {
        page.line(&[(Ink::Plain, "    no signal fired")]);
    }
    for signal in &judged.assessment.signals {
        let head = format!("    {:>+4}  ", signal.points);
        page.wrapped(
            Ink::Plain,
            &head,
            "          ",
            &format!("{}: {}", signal.id, signal.because),
        );
        for fact in &signal.facts {
            page.wrapped(Ink::Faint, "          ", "            ", fact);
        }
    }
    page.line(&[
        (
            Ink::Strong,
            &format!("    {:>4}  ", judged.assessment.score),
        ),
        (Ink::Strong, "of 100, "),
        (Ink::Strong, judged.assessment.level.as_str()),
    ]);
    let odds = words::odds(&judged.assessment);
    page.wrapped(Ink::Faint, "          ", "          ", &odds);
    if let Some(told) = words::by_history(&judged.assessment) {
        page.wrapped(Ink::Faint, "          ", "          ", &told);
    }
}

fn links(page: &mut Page, judged: &JudgedChange) {
    if judged.links.is_empty() {
        return;
    }
    page.heading("  Incidents it resembles");
    for link in &judged.links {
        page.wrapped(
            Ink::Plain,
            "    - ",
            "      ",
            &format!("{} ({}): {}", link.id, link.strength.as_str(), link.because),
        );
    }
}

fn release(page: &mut Page, judged: &JudgedChange) {
    let dossier = &judged.dossier;
    page.heading("  What is known");
    fact(page, "comes in", &dossier.published, published);
    fact(page, "goes out", &dossier.previous_published, published);
    fact(page, "withdrawn", &dossier.yanked, |yanked| {
        let word = |is: bool| if is { "yes" } else { "no" };
        format!(
            "incoming {}, outgoing {}",
            word(yanked.incoming),
            word(yanked.outgoing)
        )
    });
    fact(page, "later", &dossier.later, |later| {
        if later.releases.is_empty() {
            return "no later release in this line".to_owned();
        }
        later
            .releases
            .iter()
            .take(5)
            .map(|release| format!("{} after {:.1} days", release.version, release.after_days))
            .collect::<Vec<_>>()
            .join(", ")
    });
    fact(page, "history", &dossier.history, words::history);
    if !matches!(dossier.publisher, Finding::Absent(_)) {
        fact(page, "publisher", &dossier.publisher, publisher);
    }
    if let Some(found) = &dossier.look_alike {
        let mut text = format!("differs from `{}` {}", found.of, found.how);
        if let Some(share) = found.same_lines {
            text.push_str(
                &format_args!("; {:.0} % of its lines of code stand there", share * 100.0)
                    .to_string(),
            );
        }
        fact(page, "name", &Finding::Seen(text), String::clone);
    }
    fact(page, "advisories", &dossier.advisories, |delta| {
        let list = |facts: &[crate::facts::AdvisoryFact]| {
            if facts.is_empty() {
                return "none".to_owned();
            }
            facts
                .iter()
                .map(|fact| fact.id.clone())
                .collect::<Vec<_>>()
                .join(", ")
        };
        format!(
            "introduced {}; fixed {}; remaining {}",
            list(&delta.introduced),
            list(&delta.fixed),
            list(&delta.remaining)
        )
    });
}

fn publisher(delta: &PublisherDelta) -> String {
    let mut text = format!("published by {}", delta.incoming);
    let earlier = words::count(delta.earlier, "earlier release");
    text.push_str(
        &format_args!(", as {} of {earlier} on record", delta.earlier_by_same).to_string(),
    );
    if !delta.owners.is_empty() {
        text.push_str("; owners: ");
        text.push_str(&delta.owners.join(", "));
    }
    text
}

fn published(published: &Published) -> String {
    format!(
        "published {}, {:.1} days before",
        published.at.strftime("%Y-%m-%d %H:%M UTC"),
        published.age_days
    )
}

fn fact<T>(page: &mut Page, name: &str, finding: &Finding<T>, words: impl Fn(&T) -> String) {
    let text = match finding {
        Finding::Seen(value) => words(value),
        Finding::Absent(scope) => scope.clone(),
        Finding::Unknown(gap) => format!("not known ({}): {}", gap.reason.as_str(), gap.detail),
    };
    let head = format!("    {}", column(name, 12));
    page.wrapped(Ink::Plain, &head, "                ", &text);
}

fn why_here(page: &mut Page, judged: &JudgedChange) {
    let change = &judged.change;
    page.heading("  Why it is here");
    if let Some(forced) = &change.forced_by {
        let mut chain = forced.chain.clone();
        chain.push(change.id.clone());
        page.wrapped(
            Ink::Plain,
            "    ",
            "    ",
            &format!("forced: {}; {}", chain.join(" > "), forced.because),
        );
    } else {
        page.line(&[(Ink::Plain, "    a decision of its own")]);
    }
    for path in &change.paths {
        page.wrapped(Ink::Plain, "    ", "      ", &path.join(" > "));
    }
    if !change.forces.is_empty() {
        page.wrapped(
            Ink::Plain,
            "    ",
            "      ",
            &format!("forces {}", change.forces.join(", ")),
        );
    }
    let placement = &change.placement;
    if !placement.targets.is_empty() {
        let targets: Vec<&str> = placement.targets.iter().map(String::as_str).collect();
        page.wrapped(
            Ink::Plain,
            "    ",
            "      ",
            &format!("compiled for {}", targets.join(", ")),
        );
    }
}

fn gaps(page: &mut Page, judged: &JudgedChange) {
    let gaps = judged.dossier.gaps();
    if gaps.is_empty() {
        return;
    }
    page.heading("  Not checked");
    for gap in gaps {
        page.wrapped(
            Ink::Plain,
            "    - ",
            "      ",
            &format!(
                "{} ({}): {}",
                gap.fact.as_str(),
                gap.reason.as_str(),
                gap.detail
            ),
        );
    }
}
