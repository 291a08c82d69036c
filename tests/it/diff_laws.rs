//! The laws of a difference, on graphs that nobody thought of.

use cargo_canary::snapshot::DeclaredRequirements;
use proptest::prelude::*;

use crate::support::graph::snapshot;
use crate::support::laws;

/// One line of the notation: a package, its attributes and its dependencies.
/// Few names, versions and sources, so that much collides.
fn package(resolved: bool) -> impl Strategy<Value = String> {
    let attributes = prop_oneof![Just(""), Just(" sum=aa"), Just(" sum=bb"),];
    let placement = if resolved {
        prop_oneof![
            Just(" features=x"),
            Just(" features=x+y"),
            Just(" role=host host-features=x"),
            Just(" role=dev"),
            Just(" targets=t1"),
        ]
        .boxed()
    } else {
        Just("").boxed()
    };
    let needs = prop::collection::vec((release(), requirement()), 0..4);
    (release(), attributes, placement, needs).prop_map(|(id, attributes, placement, needs)| {
        let needs: Vec<String> = needs
            .into_iter()
            .map(|(id, req)| format!("{id}{req}"))
            .collect();
        format!("{id}{attributes}{placement} -> {}", needs.join(", "))
    })
}

fn release() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let version = prop::sample::select(vec![
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "2.0.0",
        "0.3.1",
        "0.3.2",
        "1.0.0+m",
        "2.0.0-rc.1",
    ]);
    let source = prop::sample::select(vec![
        "",
        "",
        "",
        " git+https://h.example/r?branch=main#aa",
        " git+https://h.example/r?branch=main#bb",
        " registry+https://r.example/index",
        " path",
    ]);
    (name, version, source).prop_map(|(name, version, source)| format!("{name} {version}{source}"))
}

fn requirement() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        " req=^1",
        " req=^1.2",
        " req==1.0.1",
        " req=>=0.3",
        " req=^2 build",
        " dev",
    ])
}

fn graph() -> impl Strategy<Value = String> {
    any::<bool>().prop_flat_map(|resolved| {
        let lines = move |most| prop::collection::vec(package(resolved), 0..most);
        let member = |name: &'static str| {
            let needs = prop::collection::vec((release(), requirement()), 1..4);
            needs.prop_map(move |needs| {
                let needs: Vec<String> = needs
                    .into_iter()
                    .map(|(id, req)| format!("{id}{req}"))
                    .collect();
                format!("{name} -> {}", needs.join(", "))
            })
        };
        (
            member("app"),
            lines(9),
            any::<bool>(),
            member("tool"),
            lines(4),
        )
            .prop_map(|(app, lines, second, tool, more)| {
                let mut text = format!("{app}\n{}", lines.join("\n"));
                if second {
                    text = format!("{text}\n[tools]\n{tool}\n{}", more.join("\n"));
                }
                text
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn every_difference_of_made_up_graphs_keeps_the_laws(base in graph(), head in graph()) {
        laws::hold(&snapshot(&base), &snapshot(&head), &DeclaredRequirements::new());
    }

    #[test]
    fn a_small_edit_of_a_made_up_graph_keeps_the_laws(text in graph(), line in 0..12_usize, other in package(false)) {
        let mut lines: Vec<&str> = text.lines().collect();
        let at = line % lines.len();
        if lines[at].starts_with('[') {
            return Ok(());
        }
        lines[at] = &other;
        laws::hold(&snapshot(&text), &snapshot(&lines.join("\n")), &DeclaredRequirements::new());
    }
}
