//! The same audit says the same in every format, and each format is what its
//! readers expect.

use cargo_canary::audit::Audit;
use cargo_canary::facts::{
    ChangelogSection, Finding, Part, Shift, SourceDelta, SourceFinding, Topic, Witness,
};
use cargo_canary::report::{
    Format, JSON_SCHEMA, Style, render, render_changelog, render_diff, render_explain,
};
use serde_json::Value;

use crate::support::audits::audit;
use crate::support::schema::violations;

fn made(audit: &Audit, format: Format) -> String {
    String::from_utf8(render(audit, format, Style::default())).unwrap()
}

fn json(audit: &Audit, format: Format) -> Value {
    serde_json::from_str(&made(audit, format)).unwrap()
}

/// Id, decision and score of each change, sorted.
type Row = (String, String, u64);

fn rows(list: &Value, score: &str) -> Vec<Row> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut rows: Vec<Row> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            (
                text(&change["id"]),
                text(&change["decision"]),
                change.pointer(score).unwrap().as_u64().unwrap(),
            )
        })
        .collect();
    rows.sort();
    rows
}

fn attribute(tag: &str, name: &str) -> String {
    let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
    tag[start..].split('"').next().unwrap().to_owned()
}

fn rows_of_page(html: &str) -> (Vec<Row>, u64) {
    let (mut rows, mut gaps) = (Vec::new(), 0);
    for tag in html.split("<details class=\"card").skip(1) {
        let tag = tag.split('>').next().unwrap();
        gaps += attribute(tag, "data-gaps").parse::<u64>().unwrap();
        rows.push((
            attribute(tag, "data-id"),
            attribute(tag, "data-decision"),
            attribute(tag, "data-score").parse().unwrap(),
        ));
    }
    rows.sort();
    (rows, gaps)
}

fn rows_of_comment(markdown: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = markdown
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let score = cells.get(1)?.parse().ok()?;
            let clean = |cell: &str| cell.replace(['*', '`'], "");
            Some((clean(cells.get(3)?), clean(cells.get(2)?), score))
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn all_formats_agree_on_verdict_changes_scores_and_gaps() {
    let audit = audit(23, "x");
    let report = json(&audit, Format::Json);
    let expected = rows(&report["changes"], "/risk/score");
    assert_eq!(expected.len(), 23);
    let gaps = audit.gaps().len();
    let verdict = report["verdict"]["decision"].as_str().unwrap();
    assert_eq!(verdict, "block");
    assert_eq!(report["gaps"].as_array().unwrap().len(), gaps);

    let sarif = json(&audit, Format::Sarif);
    let run = &sarif["runs"][0];
    assert_eq!(run["properties"]["verdict"], verdict);
    assert_eq!(rows(&run["properties"]["changes"], "/score"), expected);
    let notes = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    let with_fact = notes
        .iter()
        .filter(|note| note["properties"]["fact"].is_string());
    assert_eq!(with_fact.count(), gaps);
    let reasons = report["verdict"]["reasons"].as_array().unwrap().len();
    let notices = report["verdict"]["notices"].as_array().unwrap().len();
    let met = audit.evidence.discharged.len();
    assert_eq!(
        run["results"].as_array().unwrap().len(),
        reasons + met + notices
    );

    let html = made(&audit, Format::Html);
    let (page, card_gaps) = rows_of_page(&html);
    assert_eq!(page, expected);
    assert!(html.contains("data-verdict=\"block\""));
    assert!(html.contains(&format!("{gaps} facts not known")));
    assert_eq!(
        card_gaps as usize + 1,
        gaps,
        "one gap concerns the whole difference"
    );

    let markdown = made(&audit, Format::Markdown);
    assert_eq!(rows_of_comment(&markdown), expected);
    assert!(markdown.contains("### BLOCKED"));
    assert!(markdown.contains(&format!("Not checked: {gaps} facts")));

    assert!(made(&audit, Format::Text).starts_with("BLOCKED"));
    assert!(made(&audit, Format::Github).starts_with("::error title=cargo-canary%3A BLOCKED::"));
    let gitlab = json(&audit, Format::Gitlab);
    let records = 3;
    assert_eq!(
        gitlab.as_array().unwrap().len(),
        1 + reasons + met + records + notices
    );
    assert_eq!(gitlab[0]["severity"], "critical");
}

/// What a record met: the rule, the change, and the record.
type Met = (String, String, String);

fn of_json(list: &Value) -> Vec<Met> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = list.as_array().unwrap().iter();
    list.map(|met| {
        (
            text(&met["rule"]),
            text(&met["change"]),
            text(&met["record"]),
        )
    })
    .collect()
}

#[test]
fn all_formats_agree_on_what_signed_records_meet_and_which_are_refused() {
    let audit = audit(23, "x");
    let report = json(&audit, Format::Json);
    let expected = of_json(&report["evidence"]["discharged"]);
    let met = ("met rule x", "0000-x", "good x");
    assert_eq!(
        expected,
        [met].map(|(a, b, c)| (a.into(), b.into(), c.into()))
    );
    let words = "met by good x: asked for x";

    let sarif = json(&audit, Format::Sarif);
    let run = &sarif["runs"][0];
    let suppressed: Vec<&Value> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["ruleId"], met.0);
    assert_eq!(suppressed[0]["level"], "note");
    assert_eq!(suppressed[0]["properties"]["id"], met.1);
    let justification = &suppressed[0]["suppressions"][0]["justification"];
    assert_eq!(justification, "met by good x");
    assert_eq!(run["properties"]["evidence"]["accepted"][0], "good x");
    let refused = &run["properties"]["evidence"]["refused"][0];
    assert_eq!(refused["record"], "bad x");
    assert_eq!(
        refused["reason"],
        report["evidence"]["refused"][0]["reason"]
    );
    let notes = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    let kinds: Vec<&Value> = notes
        .iter()
        .map(|note| &note["properties"]["evidence"])
        .collect();
    for kind in ["accepted", "refused", "gap"] {
        assert_eq!(
            kinds.iter().filter(|seen| **seen == kind).count(),
            1,
            "{kind}"
        );
    }

    let gitlab = json(&audit, Format::Gitlab);
    let finding = |words: &str| -> Value {
        let all = gitlab.as_array().unwrap().iter();
        let mut fit = all.filter(|one| one["description"].as_str().unwrap().contains(words));
        let found = fit.next().unwrap_or_else(|| panic!("{words}")).clone();
        assert_eq!(fit.next(), None, "{words}");
        found
    };
    assert_eq!(finding(words)["check_name"], met.0);
    assert_eq!(finding(words)["severity"], "info");
    assert_eq!(finding("accepted good x")["severity"], "info");
    assert_eq!(finding("refused bad x (no-signers)")["severity"], "minor");
    assert_eq!(finding("not looked at: unreadable x")["severity"], "minor");

    let lines = made(&audit, Format::Github);
    let line = |start: &str, words: &str| {
        let fits = |line: &&str| line.starts_with(start) && line.contains(words);
        assert_eq!(lines.lines().filter(fits).count(), 1, "{words} in {lines}");
    };
    line(
        "::notice file=dir x/Cargo.lock,line=10,title=met (met rule x)%3A 0000-x",
        words,
    );
    line("::notice title=evidence::", "accepted good x");
    line("::warning title=evidence::", "refused bad x (no-signers)");

    for format in [Format::Html, Format::Markdown, Format::Text] {
        let page = made(&audit, format).replace(['\\', '\n'], "");
        for words in [
            "accepted good x",
            "meets met rule x",
            "refused bad x (no-signers)",
            "unreadable x",
        ] {
            assert!(page.contains(words), "{words} in {format:?}");
        }
    }
    let page = made(&audit, Format::Html);
    let card = page
        .split("<details class=\"card")
        .find(|card| card.contains("data-id=\"0000-x\""));
    assert!(card.unwrap().contains(words));
    let row = made(&audit, Format::Markdown);
    let row = row
        .lines()
        .find(|line| line.starts_with("| ") && line.contains("`0000-x`"));
    assert!(row.unwrap().contains(words), "{row:?}");
    let style = Style::default();
    let explained = render_explain(&audit, "0000-x", Format::Text, style).unwrap();
    assert!(String::from_utf8(explained).unwrap().contains(words));
}

#[test]
fn a_list_of_findings_has_no_fingerprint_twice() {
    let audit = audit(23, "x");
    let list = json(&audit, Format::Gitlab);
    let mut prints: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["fingerprint"].to_string())
        .collect();
    let all = prints.len();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), all);
}

#[test]
fn the_report_fits_its_schema() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    for changes in [0, 1, 23] {
        let audit = audit(changes, "x");
        let found = violations(&schema, &json(&audit, Format::Json));
        assert_eq!(found, Vec::<String>::new());
        let diff = render_diff(&audit.comparison, Format::Json, Style::default()).unwrap();
        let diff: Value = serde_json::from_slice(&diff).unwrap();
        assert_eq!(violations(&schema, &diff), Vec::<String>::new());
    }
}

#[test]
fn the_schema_names_every_key_that_is_written() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let report = json(&audit(23, "x"), Format::Json);
    let known = |pointer: &str, value: &Value| {
        let known = schema.pointer(pointer).unwrap().as_object().unwrap();
        for key in value.as_object().unwrap().keys() {
            assert!(known.contains_key(key), "{key} at {pointer}");
        }
    };
    known("/properties", &report);
    for change in report["changes"].as_array().unwrap() {
        known("/$defs/change/properties", change);
        known("/$defs/risk/properties", &change["risk"]);
        known("/$defs/placement/properties", &change["placement"]);
    }
    let mut broken = report.clone();
    broken["changes"][0]["risk"]["score"] = 101.into();
    broken["verdict"]["decision"] = "fine".into();
    assert_eq!(violations(&schema, &broken).len(), 2);
}

#[test]
fn a_comment_stays_below_the_limit_and_keeps_what_matters() {
    let long = "y".repeat(500);
    for (changes, text) in [(200, "x"), (2000, "x"), (300, long.as_str())] {
        let markdown = made(&audit(changes, text), Format::Markdown);
        assert!(markdown.chars().count() < 65_536, "{changes}");
        assert!(markdown.starts_with("<!-- cargo-canary -->\n### BLOCKED"));
        assert!(markdown.contains("Left out to stay below the size of a comment"));
        assert!(rows_of_comment(&markdown).len() >= 10);
        assert_eq!(
            markdown.matches("<details>").count(),
            markdown.matches("</details>").count()
        );
    }
    assert!(!made(&audit(23, "x"), Format::Markdown).contains("Left out"));
}

#[test]
fn lines_of_a_policy_can_be_copied_from_every_page() {
    let mut audit = audit(8, "x");
    let lines = "add to the policy, with a reason:\n[[exempt]]\npackage = \"a\"\n";
    for reason in &mut audit.verdict.reasons {
        reason.way_out = Some(lines.to_owned());
    }
    let page = made(&audit, Format::Html);
    assert!(page.contains("reason:<pre><code>[[exempt]]\npackage = &#34;a&#34;\n</code></pre>"));
    let comment = made(&audit, Format::Markdown);
    assert!(comment.contains("reason:<pre>\\[\\[exempt\\]\\]&#10;package = \"a\"</pre>"));
    for format in [
        Format::Html,
        Format::Markdown,
        Format::Sarif,
        Format::Gitlab,
    ] {
        assert!(!made(&audit, format).contains("u{a}"), "{format:?}");
    }
    assert!(made(&audit, Format::Gitlab).contains("with a reason: [[exempt]]; package"));
}

#[test]
fn a_folded_part_is_called_by_its_name() {
    let mut audit = audit(8, "x");
    audit.changes[3].change.id = "a_b".to_owned();
    let comment = made(&audit, Format::Markdown);
    assert!(comment.contains("<summary>Evidence: a_b "), "{comment}");
}

#[test]
fn the_headline_names_the_only_change_and_the_difference_as_a_whole() {
    let mut one = audit(2, "x");
    one.changes.remove(0);
    let text = made(&one, Format::Text);
    let expected = "CANARY REQUIRED: 0001-x 1.0.0 -> 1.0.2 needs a canary rollout\n";
    assert!(text.starts_with(expected), "{text}");
    let mut whole = audit(8, "x");
    whole.verdict.reasons[0].change = None;
    let text = made(&whole, Format::Text);
    assert!(
        text.starts_with("BLOCKED: the difference as a whole and 1 of 8 changes are"),
        "{text}"
    );
}

#[test]
fn a_page_of_a_hundred_changes_weighs_less_than_a_megabyte() {
    for (changes, most) in [(100, 1_000_000), (500, 3_000_000)] {
        let page = made(&audit(changes, "a-name-of-usual-length"), Format::Html);
        assert!(page.len() < most, "{} for {changes}", page.len());
    }
}

#[test]
fn the_runner_gets_no_more_annotations_than_it_shows() {
    let lines = made(&audit(500, "x"), Format::Github);
    for level in ["::error ", "::warning ", "::notice "] {
        let count = lines.lines().filter(|line| line.starts_with(level)).count();
        assert!(count <= 10, "{count} of {level}");
    }
    assert!(lines.contains("more are not annotated"));
}

#[test]
fn the_changelog_has_every_change_once_and_in_order() {
    let mut audit = audit(23, "x");
    for judged in audit.changes.iter_mut().skip(1) {
        if let Finding::Seen(delta) = &mut judged.dossier.advisories {
            delta.introduced.clear();
        }
    }
    let document = render_changelog(&audit, Format::Json).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let groups = document["groups"].as_array().unwrap();
    let headings: Vec<&str> = groups.iter().map(|g| g["id"].as_str().unwrap()).collect();
    assert_eq!(
        headings,
        ["security", "behaviour", "new-and-removed", "routine"]
    );
    let mut ids: Vec<&str> = groups
        .iter()
        .flat_map(|group| group["entries"].as_array().unwrap())
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 23);
    let markdown = String::from_utf8(render_changelog(&audit, Format::Markdown).unwrap()).unwrap();
    let html = String::from_utf8(render_changelog(&audit, Format::Html).unwrap()).unwrap();
    for id in ids {
        assert_eq!(markdown.matches(&format!("- `{id}` ")).count(), 1, "{id}");
        assert_eq!(
            html.matches(&format!("data-id=\"{id}\"")).count(),
            1,
            "{id}"
        );
    }
    assert!(markdown.starts_with("### Library updates\n"));
}

#[test]
fn the_changelog_tells_what_upstream_says_trimmed_and_whose_words_they_are() {
    let source = |text: &str, findings: Vec<SourceFinding>| {
        Finding::Seen(SourceDelta {
            findings,
            changelog: vec![ChangelogSection {
                version: "1.0.1".parse().unwrap(),
                file: "CHANGELOG.md".to_owned(),
                text: text.to_owned(),
            }],
            ..SourceDelta::default()
        })
    };
    let mut audit = audit(30, "x");
    for judged in &mut audit.changes {
        judged.dossier.advisories = Finding::Absent("none".to_owned());
        judged.dossier.source = source("- a word\n- two\n- three\n- four\n- five\n", Vec::new());
    }
    audit.changes[1].change.forced_by = audit.changes[2].change.forced_by.clone();
    let rust = |what: &str| SourceFinding {
        topic: Topic::Metadata,
        shift: Shift::Changed,
        part: Part::Metadata,
        what: what.to_owned(),
        count: 1,
        witnesses: Vec::new(),
    };
    let breaking = "- one\n- **Breaking**: `give` is gone ([#7](https://a.example/pull/7))\n";
    audit.changes[0].dossier.source =
        source(breaking, vec![rust("oldest compiler: 1.60 -> 1.71.0")]);
    audit.changes[1].dossier.source = source("- z", vec![rust("oldest compiler: 1.8 -> 1.9")]);
    let markdown = String::from_utf8(render_changelog(&audit, Format::Markdown).unwrap()).unwrap();
    for lines in [
        "\nIndented lines are upstream's own words.\n",
        "\nRust 1.71.0 or later is asked for, by `0000-x`.\n",
        "#### Behaviour that may change\n\n- `0000-x` 1.0.0 → 1.0.1: upstream calls it breaking\n  - Breaking: `give` is gone\n  - one\n",
        "  - three\n  - and 2 more\n",
        "notes on 1 routine update that only follows are left out here",
    ] {
        assert!(markdown.contains(lines), "{lines} in {markdown}");
    }
    let html = String::from_utf8(render_changelog(&audit, Format::Html).unwrap()).unwrap();
    assert!(html.contains("<li>Breaking: <code>give</code> is gone</li>"));
    assert!(html.contains("<li>five</li>"));
}

#[test]
fn advisories_that_were_not_looked_up_are_said_in_the_changelog() {
    let mut audit = audit(2, "x");
    let gap = audit.changes[0].dossier.other_gaps[0].clone();
    audit.changes[0].dossier.advisories = cargo_canary::facts::Finding::Unknown(gap);
    let markdown = String::from_utf8(render_changelog(&audit, Format::Markdown).unwrap()).unwrap();
    assert!(markdown.contains("Advisories could not be looked up for 1 change"));
}

#[test]
fn the_reasons_of_a_large_refresh_fit_on_a_screen_the_gravest_first() {
    let mut audit = audit(120, "x");
    let long = "a reason that takes more words than anybody reads at night ".repeat(40);
    for reason in &mut audit.verdict.reasons {
        reason.because = long.clone();
    }
    // One change has many reasons.
    let first = audit.verdict.reasons[0].clone();
    audit.verdict.reasons.splice(0..0, vec![first.clone(); 30]);
    let section = |text: &str, from: &str, to: &str| -> Vec<String> {
        let rest = text.split_once(from).unwrap().1;
        let lines = rest.split_once(to).unwrap().0.trim_end().lines();
        lines.map(str::to_owned).collect()
    };
    for width in [80, 120] {
        let style = Style {
            width,
            ..Style::default()
        };
        let text = String::from_utf8(render(&audit, Format::Text, style)).unwrap();
        let why = section(&text, "\nWhy\n", "\nEvidence\n");
        assert!((10..=22).contains(&why.len()), "{}: {why:#?}", why.len());
        let id = first.change.as_deref().unwrap();
        assert!(why[0].contains(id), "{why:#?}");
        assert!(
            why.iter().any(|line| line.contains("and 28 more; `-v`")),
            "{why:#?}"
        );
        assert!(
            why.last().unwrap().contains("more; `-v` shows them all"),
            "{why:#?}"
        );
        let next = section(&text, "\nWhat to do next\n", "\nPlease note\n");
        assert!(next.len() <= 24, "{next:#?}");
        let all = Style {
            width,
            verbose: true,
            ..Style::default()
        };
        let text = String::from_utf8(render(&audit, Format::Text, all)).unwrap();
        let why = section(&text, "\nWhy\n", "\nEvidence\n");
        assert!(why.len() > 1000, "{}", why.len());
    }
}

#[test]
fn the_page_shows_what_the_source_gained_where_and_what_upstream_says() {
    let mut audit = audit(2, "x");
    audit.changes[0].dossier.source = Finding::Seen(SourceDelta {
        findings: vec![SourceFinding {
            topic: Topic::Leak,
            shift: Shift::Gained,
            part: Part::Library,
            what: "mem::forget".to_owned(),
            count: 3,
            witnesses: vec![Witness {
                file: "src/pool.rs".to_owned(),
                line: 41,
                item: "Pool::give".to_owned(),
                text: "mem::forget(guard<>)".to_owned(),
            }],
        }],
        changelog: vec![ChangelogSection {
            version: "1.0.1".parse().unwrap(),
            file: "CHANGES.md".to_owned(),
            text: "### Fixed\n- a leak in `give` ([#1](https://a.example/pull/1))\n".to_owned(),
        }],
        ..SourceDelta::default()
    });
    let page = made(&audit, Format::Html);
    for words in [
        "In the source",
        "<span class=\"shift gained\">gained</span> mem::forget <span class=\"rule\">leak, library, 3 places</span>",
        "src/pool.rs:41 in Pool::give",
        "<code>mem::forget(guard&#60;&#62;)</code>",
        "What upstream says",
        "<summary>1.0.1</summary><ul class=\"found\"><li>Fixed: a leak in <code>give</code></li></ul>",
        "likelihood 1.0 % (1 in 100), exposure 1 of 1",
        "a later advisory 0.1 % (1 in 1000), a hot-fix within three days 12.5 % (1 in 8)",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn each_step_says_which_change_it_is_for() {
    let audit = audit(23, "x");
    let (page, text) = (made(&audit, Format::Html), made(&audit, Format::Text));
    let first = &audit.verdict.reasons[0];
    let id = first.change.as_deref().unwrap();
    let step = format!("{id}: {}", first.way_out.as_deref().unwrap());
    assert!(page.contains(&step), "{step}");
    assert!(text.contains(&step), "{step}");
    let second = audit.verdict.reasons[1].change.as_deref().unwrap();
    assert!(made(&audit, Format::Markdown).contains(&format!("{second}: way out")));
}
