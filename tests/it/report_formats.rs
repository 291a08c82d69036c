//! The same audit says the same in every format, and each format is what its
//! readers expect.

use cargo_canary::audit::Audit;
use cargo_canary::report::{Format, JSON_SCHEMA, Style, render, render_changelog, render_diff};
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
    assert_eq!(run["results"].as_array().unwrap().len(), reasons + notices);

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
    assert_eq!(gitlab.as_array().unwrap().len(), 1 + reasons + notices);
    assert_eq!(gitlab[0]["severity"], "critical");
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

/// What section 3 of the standard asks for, as far as it is written here.
const SARIF: &str = r##"{
 "type": "object", "required": ["version", "runs"],
 "properties": {
  "version": {"const": "2.1.0"},
  "runs": {"type": "array", "minItems": 1, "items": {
   "type": "object", "required": ["tool", "results"],
   "properties": {
    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {
     "type": "object", "required": ["name", "rules"], "properties": {
      "name": {"type": "string", "minLength": 1},
      "rules": {"type": "array", "items": {"type": "object", "required": ["id", "shortDescription"],
       "properties": {"id": {"type": "string", "minLength": 1}, "shortDescription": {"$ref": "#/$defs/message"},
        "defaultConfiguration": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}}}}}}}}}},
    "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"],
     "properties": {"executionSuccessful": {"type": "boolean"}, "toolExecutionNotifications": {"type": "array",
      "items": {"type": "object", "required": ["message"], "properties": {
       "message": {"$ref": "#/$defs/message"}, "level": {"$ref": "#/$defs/level"}}}}}}},
    "results": {"type": "array", "items": {
     "type": "object", "required": ["ruleId", "message", "locations", "partialFingerprints"],
     "properties": {
      "ruleId": {"type": "string", "minLength": 1},
      "ruleIndex": {"type": "integer", "minimum": 0},
      "level": {"$ref": "#/$defs/level"},
      "message": {"$ref": "#/$defs/message"},
      "partialFingerprints": {"type": "object"},
      "locations": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["physicalLocation"],
       "properties": {"physicalLocation": {"type": "object", "required": ["artifactLocation", "region"],
        "properties": {"artifactLocation": {"type": "object", "required": ["uri"],
          "properties": {"uri": {"type": "string", "minLength": 1}}},
         "region": {"type": "object", "required": ["startLine"],
          "properties": {"startLine": {"type": "integer", "minimum": 1}}}}}}}}}}}}}}},
 "$defs": {
  "level": {"enum": ["none", "note", "warning", "error"]},
  "message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}}
}"##;

#[test]
fn code_scanning_gets_what_the_standard_asks_for() {
    let schema: Value = serde_json::from_str(SARIF).unwrap();
    for changes in [0, 1, 23] {
        let log = json(&audit(changes, "x"), Format::Sarif);
        assert_eq!(violations(&schema, &log), Vec::<String>::new());
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }
}

#[test]
fn a_finding_keeps_its_fingerprint_when_lines_move() {
    let prints = |audit: &Audit| -> Vec<String> {
        json(audit, Format::Sarif)["runs"][0]["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["partialFingerprints"]["cargoCanary/v1"].to_string())
            .collect()
    };
    let before = audit(8, "x");
    let mut after = before.clone();
    for judged in &mut after.changes {
        judged.change.lock_line = Some(("Cargo.lock".to_owned(), 99));
    }
    assert_eq!(prints(&before), prints(&after));
    let mut unique = prints(&before);
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), prints(&before).len());
    after.changes[1].change.to[0].version = "9.9.9".parse().unwrap();
    assert_ne!(prints(&before), prints(&after));
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
fn a_page_of_a_hundred_changes_weighs_less_than_a_megabyte() {
    assert!(made(&audit(100, "a-name-of-usual-length"), Format::Html).len() < 1_000_000);
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
    let audit = audit(23, "x");
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
        let why = section(&text, "\nWhy\n", "\nWhat to do next\n");
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
        let why = section(&text, "\nWhy\n", "\nWhat to do next\n");
        assert!(why.len() > 1000, "{}", why.len());
    }
}

#[test]
fn the_page_shows_what_the_source_gained_where_and_what_upstream_says() {
    use cargo_canary::facts::{Finding, Part, Shift, SourceDelta, SourceFinding, Topic, Witness};
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
        ..SourceDelta::default()
    });
    let page = made(&audit, Format::Html);
    for words in [
        "In the source",
        "<span class=\"shift gained\">gained</span> mem::forget <span class=\"rule\">leak, library, 3 places</span>",
        "src/pool.rs:41 in Pool::give",
        "<code>mem::forget(guard&#60;&#62;)</code>",
        "What upstream says",
        "<summary>1.0.1</summary><p class=\"notes\">notes x</p>",
        "likelihood 1.0 % (1 in 100), exposure 1 of 1",
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
