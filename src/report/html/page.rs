//! The whole page.

use askama::Template;

use crate::audit::Audit;
use crate::policy::Decision;
use crate::report::{evidence, view, words};

use super::card::{self, Card};
use super::forest::{self, Drawing, Line};
use super::{Prose, SCRIPT, STYLE, Shown, Step, content_policy, long, short, step};

/// How many of the changes that are held back are unfolded at first.
const UNFOLDED: usize = 3;

#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    csp: String,
    style: &'static str,
    script: &'static str,
    decision: &'static str,
    word: &'static str,
    rest: Shown,
    sides: Prose,
    policy_edited: Option<Shown>,
    first: Option<First>,
    more_reasons: usize,
    tiles: Vec<Tile>,
    steps: Vec<Step>,
    /// How a trial meets what is asked for: words, and commands.
    trial: Option<(Prose, Vec<String>)>,
    subset: Option<String>,
    notices: Vec<Prose>,
    cards: Vec<Card>,
    kinds: Vec<&'static str>,
    drawing: Option<Drawing>,
    lines: Vec<Line>,
    gaps: Vec<GapLine>,
    gap_count: usize,
    not_covered: Vec<(Shown, Prose)>,
    attribution: Vec<Prose>,
    before: Vec<(Shown, Shown)>,
    withdrawn: Vec<Shown>,
    before_count: usize,
    judged_by: Prose,
    digest: Shown,
    version: &'static str,
}

struct First {
    about: Shown,
    anchor: Option<usize>,
    because: Prose,
    rule: Shown,
    way_out: Option<Step>,
}

struct Tile {
    number: usize,
    label: String,
    class: &'static str,
}

struct GapLine {
    facts: String,
    reason: &'static str,
    of: Shown,
    detail: Prose,
}

impl Page {
    pub(super) fn of(audit: &Audit) -> Self {
        let (word, rest) = words::headline(audit);
        let ranked = audit.ranked();
        let cards: Vec<Card> = ranked
            .iter()
            .enumerate()
            .map(|(at, judged)| {
                let open = ranked.len() == 1 || (at < UNFOLDED && judged.decision > Decision::Pass);
                Card::of(audit, judged, at + 1, open)
            })
            .collect();
        let mut kinds: Vec<&'static str> = cards.iter().map(|card| card.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let pre = &audit.pre_existing;
        Self {
            csp: content_policy(STYLE, Some(SCRIPT)),
            style: STYLE,
            script: SCRIPT,
            decision: audit.verdict.decision.as_str(),
            word,
            rest: short(&words::sentence(&rest.replace("->", "→"))),
            sides: long(&words::sides(&audit.comparison).replace("->", "→")),
            policy_edited: audit
                .policy
                .edited_by_change
                .then(|| short(&audit.policy.name)),
            first: first(audit),
            more_reasons: audit.verdict.reasons.len().saturating_sub(1),
            tiles: tiles(audit),
            steps: steps(audit),
            trial: evidence::way_out(audit).map(|(text, commands)| (long(&text), commands)),
            subset: view::subset_command(audit),
            notices: notices(audit),
            cards,
            kinds,
            drawing: forest::draw(audit),
            lines: forest::list(audit),
            gaps: gap_lines(audit),
            gap_count: audit.gaps().len(),
            not_covered: audit
                .comparison
                .coverage
                .not_covered
                .iter()
                .map(|left| (short(&left.path), long(&left.reason)))
                .collect(),
            attribution: audit
                .comparison
                .diff
                .attribution_notes
                .iter()
                .map(|note| long(note))
                .collect(),
            before: pre
                .advisories
                .iter()
                .map(|fact| {
                    let what = format!("{} in {} {}", fact.id, fact.package, fact.version);
                    (short(&what), short(&card::about(fact)))
                })
                .collect(),
            withdrawn: pre
                .yanked
                .iter()
                .map(|left| short(&format!("{} {}", left.id.name, left.id.version)))
                .collect(),
            before_count: pre.advisories.len() + pre.yanked.len(),
            judged_by: long(&words::judged_by(audit)),
            digest: short(&audit.comparison.diff.digest),
            version: crate::report::TOOL.version,
        }
    }
}

/// All ways out; none where the only one stands at the top of the page, and
/// nothing else can be done.
fn steps(audit: &Audit) -> Vec<Step> {
    let steps = view::ways_out(audit);
    let others = evidence::way_out(audit).is_some() || view::subset_command(audit).is_some();
    if steps.len() == 1 && !others {
        return Vec::new();
    }
    steps.iter().map(|one| step(one)).collect()
}

fn first(audit: &Audit) -> Option<First> {
    let reason = audit.verdict.reasons.first()?;
    let judged = view::subject(audit, reason);
    let anchor = judged.and_then(|judged| {
        audit
            .ranked()
            .iter()
            .position(|other| other.change.id == judged.change.id)
            .map(|at| at + 1)
    });
    Some(First {
        about: match judged {
            Some(judged) => short(&format!(
                "{} {}",
                judged.change.package,
                words::move_of(&judged.change).replace("->", "→")
            )),
            None => short("the whole difference"),
        },
        anchor,
        because: long(&reason.because),
        rule: short(&reason.rule),
        way_out: reason.way_out.as_deref().map(step),
    })
}

fn tiles(audit: &Audit) -> Vec<Tile> {
    let with = |decision: Decision| {
        audit
            .changes
            .iter()
            .filter(|judged| judged.decision == decision)
            .count()
    };
    let advisories = |pick: fn(&crate::facts::AdvisoryDelta) -> usize| -> usize {
        audit
            .changes
            .iter()
            .filter_map(|judged| view::advisories(judged))
            .map(pick)
            .sum()
    };
    let kind = |kind: crate::diff::ChangeKind| {
        audit
            .changes
            .iter()
            .filter(|judged| judged.change.kind == kind)
            .count()
    };
    let tile = |number: usize, label: &str, class| Tile {
        number,
        label: label.to_owned(),
        class,
    };
    let noun = |number: usize, one: &'static str, many: &'static str| {
        if number == 1 { one } else { many }
    };
    let roots = audit.comparison.diff.roots().count();
    let mut tiles = vec![tile(
        audit.changes.len(),
        noun(audit.changes.len(), "change", "changes"),
        "",
    )];
    let forced = audit.changes.len().saturating_sub(roots);
    let introduced = advisories(|delta| delta.introduced.len());
    let fixed = advisories(|delta| delta.fixed.len());
    let added = kind(crate::diff::ChangeKind::Added);
    let optional = [
        tile(
            if forced > 0 { roots } else { 0 },
            noun(roots, "decision", "decisions"),
            "",
        ),
        tile(forced, "forced by them", ""),
        tile(with(Decision::Block), "blocked", "block"),
        tile(with(Decision::Incomplete), "incomplete", "incomplete"),
        tile(
            with(Decision::Canary),
            noun(with(Decision::Canary), "needs a canary", "need a canary"),
            "canary",
        ),
        tile(
            introduced,
            noun(introduced, "advisory introduced", "advisories introduced"),
            "block",
        ),
        tile(
            fixed,
            noun(fixed, "advisory fixed", "advisories fixed"),
            "pass",
        ),
        tile(added, noun(added, "new package", "new packages"), ""),
        tile(kind(crate::diff::ChangeKind::Removed), "removed", ""),
        tile(audit.gaps().len(), "not checked", "incomplete"),
    ];
    tiles.extend(optional.into_iter().filter(|tile| tile.number > 0));
    tiles
}

/// What to know, and what became of evidence.
fn notices(audit: &Audit) -> Vec<Prose> {
    let records = evidence::lines(&audit.evidence)
        .into_iter()
        .map(|line| long(&format!("evidence: {}", line.text)));
    let notices = audit.verdict.notices.iter().map(notice);
    records.chain(notices).collect()
}

fn notice(notice: &crate::policy::Notice) -> Prose {
    match &notice.change {
        Some(change) => long(&format!("{change} ({}): {}", notice.rule, notice.text)),
        None => long(&format!("{}: {}", notice.rule, notice.text)),
    }
}

fn gap_lines(audit: &Audit) -> Vec<GapLine> {
    view::gap_groups(audit)
        .into_iter()
        .map(|group| GapLine {
            facts: group.facts.join(", "),
            reason: group.reason,
            of: Shown::of(&group.ids.join(", "), 2000),
            detail: long(&group.detail),
        })
        .collect()
}
