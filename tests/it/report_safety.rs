//! One list of hostile strings through every format: text stays text.

use cargo_canary::facts::{ChangelogSection, Finding, SourceDelta};
use cargo_canary::policy::Decision;
use cargo_canary::report::{Format, Style, render, render_changelog, render_explain};

use serde_json::Value;

use crate::support::audits::{HOSTILE, audit};
use crate::support::markup::{deceptive, tags};

const CHANGES: usize = 13;
/// With a space, so that no command is offered for it, as for the hostile ones.
const PLAIN: &str = "plain text";
const NONE: [char; 0] = [];

fn made(format: Format, text: &str) -> String {
    String::from_utf8(render(&audit(CHANGES, text), format, Style::default())).unwrap()
}

/// The comment where a canary is asked for: it has commands with both builds.
fn comment_on_a_canary(text: &str) -> String {
    let mut audit = audit(2, text);
    audit.verdict.decision = Decision::Canary;
    String::from_utf8(render(&audit, Format::Markdown, Style::default())).unwrap()
}

fn changelog(format: Format, text: &str) -> String {
    String::from_utf8(render_changelog(&audit(CHANGES, text), format).unwrap()).unwrap()
}

fn explained(text: &str) -> String {
    let audit = audit(3, text);
    let package = audit.changes[1].change.package.clone();
    let bytes = render_explain(&audit, &package, Format::Markdown, Style::default());
    String::from_utf8(bytes.unwrap()).unwrap()
}

/// Markdown as a renderer with all extensions reads it.
fn rendered(markdown: &str) -> String {
    let mut html = String::new();
    let parser = pulldown_cmark::Parser::new_ext(markdown, pulldown_cmark::Options::all());
    pulldown_cmark::html::push_html(&mut html, parser);
    html
}

#[test]
fn markdown_has_the_same_structure_whatever_the_text_is() {
    let makers: [fn(&str) -> String; 4] = [
        comment_on_a_canary,
        |text| made(Format::Markdown, text),
        |text| changelog(Format::Markdown, text),
        explained,
    ];
    // Backticks stand around code in prose, and lines of a policy keep their
    // ends; nothing else is made of a text.
    let structure = |markdown: &str| -> Vec<String> {
        let tags = tags(&rendered(markdown)).into_iter();
        tags.filter(|tag| !tag.ends_with("code") && !tag.ends_with("pre"))
            .collect()
    };
    for make in makers {
        let plain = structure(&make(PLAIN));
        assert!(plain.len() > 20);
        for text in HOSTILE {
            let markdown = make(text);
            assert_eq!(structure(&markdown), plain, "{text:?}");
            assert_eq!(deceptive(&markdown), NONE, "{text:?}");
            assert_eq!(markdown.lines().count(), make(PLAIN).lines().count());
            for linked in [
                "@everyone",
                "@org",
                " #1",
                "GH-2",
                "https://evil",
                "www.evil",
                ":smile:",
            ] {
                assert!(!markdown.contains(linked), "{linked} in {markdown}");
            }
        }
    }
}

#[test]
fn the_marker_of_the_comment_stands_once_and_first() {
    for text in HOSTILE {
        let markdown = made(Format::Markdown, text);
        assert!(markdown.starts_with("<!-- cargo-canary -->\n"));
        assert_eq!(markdown.matches("<!--").count(), 1, "{text:?}");
    }
}

#[test]
fn pages_have_the_same_structure_whatever_the_text_is() {
    let makers: [fn(&str) -> String; 2] = [
        |text| made(Format::Html, text),
        |text| changelog(Format::Html, text),
    ];
    // Backticks stand around code in prose, and make nothing else.
    let structure = |html: &str| -> Vec<String> {
        tags(html)
            .into_iter()
            .filter(|tag| !tag.ends_with("code") && !tag.ends_with("pre"))
            .collect()
    };
    for make in makers {
        let plain = make(PLAIN);
        let policy = plain.split("Content-Security-Policy").nth(1).unwrap();
        let policy = policy.split('>').next().unwrap();
        assert!(
            policy.contains("default-src &#39;none&#39;") || policy.contains("default-src 'none'")
        );
        for text in HOSTILE {
            let html = make(text);
            assert_eq!(structure(&html), structure(&plain), "{text:?}");
            assert_eq!(deceptive(&html), NONE, "{text:?}");
            assert!(html.contains(policy), "{text:?}");
        }
    }
}

#[test]
fn a_page_names_no_other_place() {
    let html = made(Format::Html, PLAIN);
    for attribute in [
        "src=",
        "srcset=",
        "@import",
        "<link",
        "<iframe",
        "<object",
        "href=\"http",
    ] {
        assert!(!html.contains(attribute), "{attribute}");
    }
    assert!(
        !html.contains("url(") || html.matches("url(").count() == html.matches("url(#tip)").count()
    );
}

#[test]
fn each_line_for_the_runner_is_one_command_and_no_other() {
    let count = made(Format::Github, PLAIN).lines().count();
    for text in HOSTILE {
        let lines = made(Format::Github, text);
        assert_eq!(lines.lines().count(), count, "{text:?}");
        assert_eq!(deceptive(&lines), NONE);
        for line in lines.lines() {
            let command = ["::notice ", "::warning ", "::error "]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            if let Some(rest) = command {
                let (properties, _) = rest.split_once("::").unwrap();
                let names: Vec<&str> = properties
                    .split(',')
                    .map(|property| property.split('=').next().unwrap())
                    .collect();
                assert!(
                    names == ["title"] || names == ["file", "line", "title"],
                    "{line}"
                );
            } else {
                assert!(line.ends_with("the whole report has them"), "{line}");
            }
            assert!(!line.contains("##["), "{line}");
        }
    }
}

/// The document without the texts: keys, kinds and lengths.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), shape(value)))
            .collect(),
        Value::String(_) => "text".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(object) => object.values().for_each(|value| texts(value, all)),
        Value::String(text) => all.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn documents_for_programs_keep_their_shape() {
    for format in [Format::Json, Format::Sarif, Format::Gitlab] {
        let plain: Value = serde_json::from_str(&made(format, PLAIN)).unwrap();
        for text in HOSTILE {
            let document: Value = serde_json::from_str(&made(format, text)).unwrap();
            assert_eq!(shape(&document), shape(&plain), "{text:?}");
            // The report for programs holds names as they are; the others are shown.
            if format == Format::Json {
                continue;
            }
            let mut all = Vec::new();
            texts(&document, &mut all);
            for shown in all {
                assert_eq!(deceptive(&shown), NONE, "{shown:?}");
            }
        }
    }
}

#[test]
fn a_message_of_code_scanning_holds_no_link() {
    let sarif = made(Format::Sarif, "[a](https://evil.example)");
    let document: Value = serde_json::from_str(&sarif).unwrap();
    for result in document["runs"][0]["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(!text.replace("\\[", "").contains('['), "{text}");
    }
}

#[test]
fn a_terminal_gets_no_control_character() {
    for text in HOSTILE {
        assert_eq!(deceptive(&made(Format::Text, text)), NONE, "{text:?}");
    }
}

#[test]
fn a_command_is_offered_for_plain_names_only() {
    let fine = |format, text: &str| {
        let mut audit = audit(23, text);
        for judged in &mut audit.changes {
            judged.dossier.yanked = Finding::Absent("neither".to_owned());
        }
        String::from_utf8(render(&audit, format, Style::default())).unwrap()
    };
    for text in HOSTILE {
        for format in [Format::Markdown, Format::Html] {
            let report = fine(format, text);
            assert!(!report.contains("cargo update -p"), "{text:?}");
        }
    }
    assert!(fine(Format::Html, "plain").contains("cargo update -p"));
}

#[test]
fn no_command_goes_back_to_what_is_worse() {
    let page = made(Format::Html, "plain");
    assert!(page.contains("going back reopens"));
    assert!(page.contains("the release before was withdrawn by its publishers; a later"));
    assert!(!page.contains("cargo update -p"));
}

#[test]
fn what_upstream_says_makes_lines_and_nothing_else() {
    let of = |text: &str, format: Format| -> Vec<String> {
        let mut audit = audit(2, PLAIN);
        for judged in &mut audit.changes {
            judged.dossier.source = Finding::Seen(SourceDelta {
                changelog: vec![ChangelogSection {
                    version: "1.0.1".parse().unwrap(),
                    file: "CHANGELOG.md".to_owned(),
                    text: text.to_owned(),
                }],
                ..SourceDelta::default()
            });
        }
        let page = if format == Format::Html {
            render(&audit, format, Style::default())
        } else {
            render_changelog(&audit, format).unwrap()
        };
        let page = String::from_utf8(page).unwrap();
        assert_eq!(deceptive(&page), NONE, "{text:?}");
        let html = if format == Format::Markdown {
            rendered(&page)
        } else {
            page
        };
        tags(&html)
            .into_iter()
            .filter(|tag| !["li", "/li", "ul", "/ul", "code", "/code"].contains(&tag.as_str()))
            .collect()
    };
    for format in [Format::Html, Format::Markdown] {
        let plain = of("- a word\n- another", format);
        for text in HOSTILE {
            for text in [
                format!("- word {text}"),
                format!("word {text}\n- end"),
                format!("### {text}\n- word {text}\n  {text}\n"),
            ] {
                assert_eq!(of(&text, format), plain, "{text:?}");
            }
        }
    }
}
