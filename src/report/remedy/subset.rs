//! The largest set of updates that passes, as text and as JSON.

use serde::Serialize;

use super::shape::{AdvisoryShape, advisory as advisory_shape};
use super::text::list;
use super::{Named, advisory, written};
use crate::remedy::{HeldBack, Subset, UpdateCommand, Way};
use crate::report::Style;
use crate::report::text::page::{Ink, Page};

/// So many commands of one list are shown in text, unless all are asked for.
const SHOWN: usize = 30;

pub(super) fn text(subset: &Subset, named: Named<'_>, style: Style) -> String {
    let mut page = Page::new(style);
    let ink = match &subset.way {
        Way::Commands | Way::LockFile { .. } if !subset.taken.is_empty() => Ink::Good,
        Way::Commands | Way::LockFile { .. } => Ink::Warning,
        Way::None { .. } | Way::Unchecked { .. } => Ink::Bad,
    };
    page.wrapped(ink, "", "", &headline(subset));
    let (base, head) = &subset.builds;
    page.wrapped(
        Ink::Faint,
        "",
        "",
        &format!("of what {head} changes against {base}"),
    );
    if let Way::LockFile { because } = &subset.way {
        page.gap();
        let text = format!(
            "No order of `cargo update` commands leads there from the base ({because}); put the \
             lock file in place."
        );
        page.wrapped(Ink::Plain, "", "", &text);
    }
    let held = !subset.held_back.is_empty();
    if held {
        commands(
            &mut page,
            "Where all updates are in (on the head), take out what waits",
            &subset.from_head,
        );
    }
    commands(
        &mut page,
        "Or, where none are in (on the base), bring in what passes",
        &subset.commands,
    );
    list(&mut page, "Written", written(named).into_iter());
    waiting(&mut page, &subset.held_back);
    list(
        &mut page,
        "What stays open until then",
        subset.reopened.iter().map(advisory),
    );
    list(&mut page, "Notes", subset.notes.iter().cloned());
    page.gap();
    page.wrapped(Ink::Plain, "", "", &proof(subset));
    page.finish()
}

fn headline(subset: &Subset) -> String {
    let (taken, held) = (subset.taken.len(), subset.held_back.len());
    match &subset.way {
        Way::Unchecked { because } => format!("NOT CHECKED: {because}"),
        Way::None { because } => format!("NOTHING CAN GO IN NOW: {because}"),
        Way::Commands | Way::LockFile { .. } if held == 0 => "ALL UPDATES CAN GO IN NOW".to_owned(),
        Way::Commands | Way::LockFile { .. } if taken == 0 => "NO UPDATE CAN GO IN NOW".to_owned(),
        Way::Commands | Way::LockFile { .. } => {
            format!(
                "{taken} OF {} UPDATES CAN GO IN NOW, {held} have to wait",
                taken + held
            )
        }
    }
}

fn proof(subset: &Subset) -> String {
    let asked = match subset.tries {
        1 => "one lock file".to_owned(),
        tries => format!("{tries} lock files"),
    };
    match (&subset.way, subset.proven) {
        (Way::None { .. } | Way::Unchecked { .. }, _) => "Nothing was changed.".to_owned(),
        (Way::Commands | Way::LockFile { .. }, true) => format!(
            "No larger set passes: all of them were tried. {asked} went before the policy, and \
             cargo resolved each in a copy. Nothing was built."
        ),
        (Way::Commands | Way::LockFile { .. }, false) => format!(
            "Not proven to be the largest: {asked} went before the policy, and not every larger \
             set was tried. `--tries` allows for more. Cargo resolved each in a copy. Nothing was \
             built."
        ),
    }
}

fn commands(page: &mut Page, heading: &str, commands: &[UpdateCommand]) {
    if commands.is_empty() {
        return;
    }
    page.heading(heading);
    let most = if page.verbose() { usize::MAX } else { SHOWN };
    for command in commands.iter().take(most) {
        page.line(&[(Ink::Plain, "  "), (Ink::Strong, &command.line())]);
    }
    if commands.len() > most {
        let more = format!("  … {} more, see `-v`", commands.len() - most);
        page.line(&[(Ink::Faint, &more)]);
    }
}

fn waiting(page: &mut Page, held_back: &[HeldBack]) {
    if held_back.is_empty() {
        return;
    }
    page.heading("What has to wait");
    for held in held_back {
        let until = held
            .until
            .map_or_else(String::new, |day| format!(", until {day}"));
        let line = format!("{} {} -> {}{until}", held.package, held.stays, held.waits);
        page.wrapped(Ink::Strong, "  ", "      ", &line);
        for because in &held.because {
            page.wrapped(Ink::Plain, "    - ", "      ", because);
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'s> {
    schema_version: u32,
    base: &'s str,
    head: &'s str,
    whole: &'static str,
    /// `commands`, `lock-file`, `none` or `unchecked`.
    way: &'static str,
    because: Option<&'s str>,
    checked: bool,
    proven_largest: bool,
    tries: usize,
    taken: Vec<Taken<'s>>,
    commands: Vec<String>,
    from_head: Vec<String>,
    lock: Option<String>,
    patch: Option<String>,
    branch: Option<&'s str>,
    reopened: Vec<AdvisoryShape<'s>>,
    held_back: Vec<Held<'s>>,
    notes: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Taken<'s> {
    package: &'s str,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Held<'s> {
    package: &'s str,
    from: String,
    to: String,
    decision: &'static str,
    waits_for: &'s [String],
    until: Option<String>,
}

pub(super) fn json(subset: &Subset, named: Named<'_>) -> Vec<u8> {
    let (way, because) = super::shape::way(&subset.way);
    let lines = |commands: &[UpdateCommand]| commands.iter().map(|it| it.line()).collect();
    let document = Document {
        schema_version: 1,
        base: &subset.builds.0,
        head: &subset.builds.1,
        whole: subset.whole.as_str(),
        way,
        because,
        checked: matches!(subset.way, Way::Commands | Way::LockFile { .. }),
        proven_largest: subset.proven,
        tries: subset.tries,
        taken: subset
            .taken
            .iter()
            .map(|it| Taken {
                package: &it.package,
                from: it.then.as_ref().map(ToString::to_string),
                to: it.now.as_ref().map(ToString::to_string),
            })
            .collect(),
        commands: lines(&subset.commands),
        from_head: lines(&subset.from_head),
        lock: named.lock.map(|path| path.display().to_string()),
        patch: named.patch.map(|path| path.display().to_string()),
        branch: named.branch,
        reopened: subset.reopened.iter().map(advisory_shape).collect(),
        held_back: subset.held_back.iter().map(held).collect(),
        notes: &subset.notes,
    };
    // Plain data is always serialisable.
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn held(held: &HeldBack) -> Held<'_> {
    Held {
        package: &held.package,
        from: held.stays.to_string(),
        to: held.waits.to_string(),
        decision: held.decision.as_str(),
        waits_for: &held.because,
        until: held.until.map(|day| day.to_string()),
    }
}
