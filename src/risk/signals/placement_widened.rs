//! The package moves closer to what is shipped.

use super::{Definition, Docs, Input, Parameters, Raised};
use crate::facts::FactKind;
use crate::snapshot::{Placement, Role};

/// The signal.
pub(super) static SIGNAL: Definition = Definition {
    id: "placement-widened",
    title: "the package moves closer to what is shipped",
    docs: Docs {
        what: "A package that was compiled for tests, the build machine or not at all, and now is for more.",
        why: "Its code was never run in production by this product, whatever its age.",
        example: "A crate that only tests used becomes a normal dependency.",
    },
    looks_at: &[FactKind::Placement],
    grades: &["to-target", "to-host"],
    parameters: &[],
    check,
};

fn check(input: &Input<'_>, _: &Parameters<'_>) -> Option<Raised> {
    let after = &input.change.placement;
    let before = input.change.placement_before.as_ref()?;
    if !before.resolved || !after.resolved {
        return None;
    }
    let newly = |role: Role| after.roles.contains(&role) && !before.roles.contains(&role);
    let (grade, because) = if newly(Role::Target) {
        ("to-target", "it is compiled into what is shipped now")
    } else if newly(Role::Host) && !after.roles.contains(&Role::Target) {
        ("to-host", "it runs on the build machine now")
    } else {
        return None;
    };
    let roles = |placement: &Placement| {
        placement
            .roles
            .iter()
            .map(|role| role.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let fact = format!("resolved graph: {} became {}", roles(before), roles(after));
    Some(Raised::graded(grade, because.to_owned()).fact(fact))
}
