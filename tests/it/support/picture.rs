//! A terminal's output as a picture: SVG, in the colours of its escape sequences.

use std::fmt::Write as _;

const COLUMN: f64 = 7.83;
const ROW: usize = 18;
const MARGIN: usize = 14;

/// What a sequence makes of the text behind it.
fn class(codes: &str) -> &'static str {
    match codes {
        "1" => "b",
        "2" => "q",
        "31" | "1;31" => "r",
        "32" | "1;32" => "g",
        "33" | "1;33" => "y",
        "0" | "" => "",
        other => panic!("no colour for `{other}`"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// So many lines of an output, below the command.
pub(crate) fn svg(command: &str, output: &str, lines: usize) -> String {
    let all: Vec<&str> = output.lines().collect();
    let mut shown = vec![format!("\u{1b}[1m$ {command}\u{1b}[0m")];
    shown.extend(all.iter().take(lines).map(|line| (*line).to_owned()));
    if all.len() > lines {
        shown.push("\u{1b}[2m…\u{1b}[0m".to_owned());
    }
    let mut text = String::new();
    let mut columns = 0;
    for (row, line) in shown.iter().enumerate() {
        let y = MARGIN + ROW * (row + 1) - 5;
        write!(text, "<text x=\"{MARGIN}\" y=\"{y}\">").unwrap();
        let mut width = 0;
        for (place, part) in line.split("\u{1b}[").enumerate() {
            let (kind, part) = match place {
                0 => ("", part),
                _ => {
                    let (codes, rest) = part.split_once('m').unwrap();
                    (class(codes), rest)
                }
            };
            width += part.chars().count();
            match (kind, part) {
                (_, "") => {}
                ("", part) => text += &escaped(part),
                (kind, part) => {
                    write!(text, "<tspan class=\"{kind}\">{}</tspan>", escaped(part)).unwrap();
                }
            }
        }
        columns = columns.max(width);
        text += "</text>\n";
    }
    let width = (columns as f64 * COLUMN).ceil() as usize + 2 * MARGIN;
    let height = shown.len() * ROW + 2 * MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <!-- CANARY_UPDATE=1 cargo test --test it docs -->\n\
         <style>text{{font:13px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;fill:#e6e9ed;white-space:pre}}.b{{font-weight:700}}.q{{fill:#a0a9b4}}.r{{fill:#ff7b82;font-weight:700}}.g{{fill:#62cc8b}}.y{{fill:#f0b354;font-weight:700}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#14171b\"/>\n{text}</svg>\n"
    )
}
