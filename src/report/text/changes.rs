//! The changes as tables.

use crate::audit::{Audit, Comparison, JudgedChange};
use crate::diff::Change;
use crate::incidents::Direction;
use crate::policy::Decision;
use crate::risk::Level;

use super::page::{Ink, Page, column};
use super::{LISTED, move_and_place};
use crate::report::words::{count, move_of, place_of};

/// The head of a paragraph about one change.
pub(super) fn title(page: &mut Page, judged: &JudgedChange) {
    page.line(&[
        (Ink::Plain, "  "),
        (Ink::Strong, &judged.change.package),
        (Ink::Plain, " "),
        (Ink::Plain, &move_and_place(judged)),
    ]);
    page.wrapped(
        ink_of_level(judged.assessment.level),
        "    ",
        "    ",
        &format!(
            "risk {} of 100 ({})",
            judged.assessment.score,
            judged.assessment.level.as_str()
        ),
    );
}

fn ink_of_level(level: Level) -> Ink {
    match level {
        Level::Low => Ink::Faint,
        Level::Moderate => Ink::Plain,
        Level::Elevated => Ink::Warning,
        Level::High => Ink::Bad,
    }
}

/// How wide the columns of a table are; the rest of the line is the last column's.
struct Columns {
    package: usize,
    movement: usize,
    place: usize,
}

impl Columns {
    fn fit<'a>(page: &Page, used: usize, changes: impl Iterator<Item = &'a Change>) -> Self {
        let (mut package, mut movement, mut place) = (7, 6, 5);
        for change in changes {
            package = package.max(change.id.chars().count());
            movement = movement.max(move_of(change).chars().count());
            place = place.max(place_of(change).chars().count());
        }
        // The words before the table, and two columns between its parts.
        let room = page.width().saturating_sub(used);
        let package = package.min(room / 3);
        let movement = movement.min(room * 2 / 5);
        let place = place.min(room.saturating_sub(package + movement));
        Self {
            package,
            movement,
            place,
        }
    }

    fn row(&self, change: &Change) -> String {
        format!(
            "{}  {}  {}",
            column(&change.id, self.package),
            column(&move_of(change), self.movement),
            column(&place_of(change), self.place)
        )
    }
}

/// All changes by risk, the long tail folded.
pub(super) fn ranked(page: &mut Page, audit: &Audit) {
    let ranked = audit.ranked();
    if ranked.is_empty() {
        return;
    }
    page.heading("Changes by risk");
    let shown = if page.verbose() {
        ranked.len()
    } else {
        LISTED.min(ranked.len())
    };
    let shown = if ranked.len() == shown + 1 {
        shown + 1
    } else {
        shown
    };
    let columns = Columns::fit(
        page,
        2 + 3 + 2 + 6 + 2 + 4,
        ranked.iter().take(shown).map(|judged| &judged.change),
    );
    for judged in ranked.iter().take(shown) {
        let (ink, word) = match judged.decision {
            Decision::Pass => (Ink::Faint, ""),
            Decision::Canary => (Ink::Warning, "canary"),
            Decision::Incomplete => (Ink::Warning, "gap"),
            Decision::Block => (Ink::Bad, "block"),
        };
        page.line(&[
            (Ink::Plain, "  "),
            (
                ink_of_level(judged.assessment.level),
                &format!("{:>3}", judged.assessment.score),
            ),
            (Ink::Plain, "  "),
            (ink, &column(word, 6)),
            (Ink::Plain, "  "),
            (Ink::Plain, &columns.row(&judged.change)),
        ]);
        reasons(page, judged);
    }
    if ranked.len() > shown {
        let rest = ranked.iter().skip(shown);
        let highest = rest
            .map(|judged| judged.assessment.score)
            .max()
            .unwrap_or(0);
        page.wrapped(
            Ink::Faint,
            "  ",
            "  ",
            &format!(
                "and {} more, none above {highest} of 100; `-v` lists them",
                ranked.len() - shown
            ),
        );
    }
}

/// One line below a row: what it is made of, if that is worth a line.
fn reasons(page: &mut Page, judged: &JudgedChange) {
    let mut parts: Vec<String> = judged
        .assessment
        .signals
        .iter()
        .filter(|signal| signal.points != 0)
        .take(3)
        .map(|signal| format!("{} {:+}", signal.id, signal.points))
        .collect();
    if let Some(forced) = &judged.change.forced_by {
        parts.push(format!("forced by {}", forced.root));
    } else if !judged.change.forces.is_empty() {
        parts.push(format!(
            "forces {}",
            count(judged.change.forces.len(), "other")
        ));
    }
    for link in judged.links.iter().take(1) {
        let direction = match link.direction {
            Direction::Resembles => String::new(),
            Direction::Enters | Direction::Stays | Direction::Leaves => {
                format!(" ({})", link.direction.as_str())
            }
        };
        let strength = link.strength.as_str();
        parts.push(format!("{strength} link to {}{direction}", link.id));
    }
    if judged.decision > Decision::Pass || judged.assessment.score >= 10 || page.verbose() {
        page.wrapped(
            Ink::Faint,
            "               ",
            "               ",
            &parts.join("; "),
        );
    }
}

/// A comparison without judgement: decisions first, each with what it forced.
pub(super) fn compared(page: &mut Page, comparison: &Comparison) {
    let changes = &comparison.diff.changes;
    if changes.is_empty() {
        page.line(&[
            (Ink::Strong, "No difference"),
            (Ink::Plain, " in third-party packages."),
        ]);
    } else {
        page.line(&[
            (Ink::Strong, &count(changes.len(), "change")),
            (Ink::Plain, " in third-party packages"),
        ]);
    }
    page.wrapped(Ink::Faint, "", "", &super::words::sides(comparison));
    let columns = Columns::fit(page, 2 + 2 + 4 + 19, changes.iter());
    for root in changes.iter().filter(|change| change.forced_by.is_none()) {
        page.gap();
        row(page, "  ", &columns, root);
        for id in &root.forces {
            if let Some(change) = changes.iter().find(|change| &change.id == id) {
                row(page, "    ", &columns, change);
                if let Some(forced) = &change.forced_by {
                    page.wrapped(
                        Ink::Faint,
                        "      ",
                        "      ",
                        &format!("because {}", forced.because),
                    );
                }
            }
        }
    }
    for note in &comparison.diff.attribution_notes {
        page.gap();
        page.wrapped(Ink::Faint, "", "", note);
    }
    for left in &comparison.coverage.not_covered {
        page.gap();
        page.wrapped(
            Ink::Plain,
            "",
            "  ",
            &format!("Not covered: {}: {}", left.path, left.reason),
        );
    }
}

fn row(page: &mut Page, indent: &str, columns: &Columns, change: &Change) {
    page.line(&[
        (Ink::Plain, indent),
        (Ink::Plain, &columns.row(change)),
        (Ink::Faint, "  "),
        (Ink::Faint, change.kind.as_str()),
    ]);
    let features = &change.features;
    for (word, gained, lost) in [
        ("features", &features.target_gained, &features.target_lost),
        ("host features", &features.host_gained, &features.host_lost),
    ] {
        if gained.is_empty() && lost.is_empty() {
            continue;
        }
        let list = gained
            .iter()
            .map(|name| format!("+{name}"))
            .chain(lost.iter().map(|name| format!("-{name}")))
            .collect::<Vec<_>>()
            .join(" ");
        let indent = format!("{indent}  ");
        page.wrapped(Ink::Faint, &indent, &indent, &format!("{word}: {list}"));
    }
}
