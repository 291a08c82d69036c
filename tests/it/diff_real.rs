//! Differences of real lock files, where the shared data is at hand.

use cargo_canary::diff::{ChangeKind, GraphDiff};
use cargo_canary::snapshot::{DeclaredRequirements, Snapshot};

use crate::support::{data, laws, lock};

fn showcase(name: &str) -> Option<(Snapshot, Snapshot)> {
    let folder = data::folder("showcase")?.join(name);
    let read = |file: &str| lock::snapshot(&std::fs::read_to_string(folder.join(file)).unwrap());
    Some((read("before.lock"), read("after.lock")))
}

fn count(diff: &GraphDiff, kind: ChangeKind) -> usize {
    diff.changes
        .iter()
        .filter(|change| change.kind == kind)
        .count()
}

fn compared(name: &str) -> Option<GraphDiff> {
    let (base, head) = showcase(name)?;
    let declared = DeclaredRequirements::new();
    let diff = laws::hold(&base, &head, &declared);
    if std::env::var_os("CANARY_SHOW").is_some() {
        println!("== {name}");
        for decision in diff.decisions() {
            let root = decision.root;
            println!(
                "{} {} {:?} paths {:?}",
                root.id,
                root.kind.as_str(),
                root.step(),
                root.paths.first()
            );
            for forced in decision.forced {
                let by = forced.forced_by.as_ref().unwrap();
                println!(
                    "    {} {} | {} | {}",
                    forced.id,
                    forced.kind.as_str(),
                    by.chain.join(" > "),
                    by.because
                );
            }
        }
        println!("{:?}", diff.attribution_notes);
    }
    Some(diff)
}

#[test]
fn show() {
    let Some(folder) = data::folder("showcase") else {
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    for name in names {
        compared(name.to_str().unwrap()).unwrap();
    }
}
