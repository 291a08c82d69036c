//! The lines of a text: their markup, what kind each is, and the label that
//! begins it.

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Blank,
    /// Inside of a code block.
    Code,
    /// In the front matter.
    Front,
    /// A heading, with its level; 7 for one that is only bold or ends in a colon.
    Heading(u8),
    /// An entry of a list.
    Item,
    /// A row of a table.
    Row,
    Prose,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// Without markup.
    pub(super) text: String,
    /// Spaces before it.
    pub(super) indent: usize,
    /// What stands before its first colon, where that may be a label; in lower case.
    pub(super) label: Option<String>,
    /// What stands after the label.
    pub(super) after_label: String,
    /// Whether it begins with a time or a date.
    pub(super) leads_with_time: bool,
}

/// The longest line that is read, in characters; the rest of it is left out.
const MAX_LINE: usize = 4_000;

/// Reads the lines of a text.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let raw: Vec<&str> = text.split('\n').collect();
    let mut out: Vec<Line> = Vec::with_capacity(raw.len());
    let mut fence: Option<&str> = None;
    let mut front: Option<&str> = None;
    let mut begun = false;
    for (index, line) in raw.iter().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let trimmed = line.trim();
        if let Some(mark) = front {
            if trimmed == mark {
                front = None;
                out.push(made(number, Kind::Blank, ""));
            } else {
                out.push(made(number, Kind::Front, trimmed));
            }
            continue;
        }
        if !begun
            && matches!(trimmed, "---" | "+++")
            && raw
                .iter()
                .skip(index + 1)
                .take(60)
                .any(|line| line.trim() == trimmed)
        {
            front = Some(if trimmed == "---" { "---" } else { "+++" });
            begun = true;
            continue;
        }
        // Lines such as `Source: …` may stand before the front matter.
        let is_head =
            trimmed.contains(": ") && trimmed.starts_with(char::is_alphabetic) && index < 12;
        begun = begun || !(trimmed.is_empty() || is_head);
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        if let Some(open) = fence {
            if mark == Some(open) {
                fence = None;
            }
            out.push(made(number, Kind::Code, ""));
            continue;
        }
        if mark.is_some() {
            fence = mark;
            out.push(made(number, Kind::Code, ""));
            continue;
        }
        underline(trimmed, &mut out);
        out.push(read(number, line, raw.get(index + 1).copied()));
    }
    out
}

/// A line below a text of `=` or `-` makes that text a heading.
fn underline(trimmed: &str, out: &mut [Line]) {
    let all = |mark| trimmed.len() >= 3 && trimmed.chars().all(|letter| letter == mark);
    let level = if all('=') {
        1
    } else if all('-') {
        2
    } else {
        return;
    };
    if let Some(above) = out.last_mut()
        && above.kind == Kind::Prose
        && above.text.split_whitespace().count() <= 14
    {
        above.kind = Kind::Heading(level);
    }
}

/// A line of a kind with a text.
fn made(number: u32, kind: Kind, text: &str) -> Line {
    let text = plain(text);
    let (label, after_label) = label(&text);
    Line {
        number,
        kind,
        indent: 0,
        label,
        after_label,
        leads_with_time: false,
        text,
    }
}

/// Reads one line.
fn read(number: u32, line: &str, next: Option<&str>) -> Line {
    let line: String = line.chars().take(MAX_LINE).collect();
    let indent = line
        .chars()
        .take_while(|letter| letter.is_whitespace())
        .count();
    let trimmed = line.trim();
    if trimmed.is_empty() || is_rule(trimmed) {
        return made(number, Kind::Blank, "");
    }
    if let Some(rest) = trimmed.strip_prefix('#') {
        let rest_marks = rest.chars().take_while(|letter| *letter == '#').count();
        let title = rest.trim_start_matches('#');
        if rest_marks < 6 && (title.starts_with(' ') || title.starts_with(char::is_alphanumeric)) {
            let level = u8::try_from(rest_marks + 1).unwrap_or(6);
            let mut line = made(
                number,
                Kind::Heading(level),
                title.trim().trim_end_matches('#'),
            );
            line.leads_with_time = leads_with_time(&line.text);
            return line;
        }
    }
    if trimmed.starts_with('|') || trimmed.matches(" | ").count() >= 1 {
        return row(number, trimmed);
    }
    let (item, rest) = item(trimmed);
    let bold_only = (rest.starts_with("**") && rest.ends_with("**")
        || rest.starts_with("__") && rest.ends_with("__"))
        && rest.len() > 4
        && rest.matches("**").count() <= 2;
    let text = plain(rest);
    let (label, after_label) = label(&text);
    let words = text.split_whitespace().count();
    let shouts = words <= 6
        && text.chars().filter(|letter| letter.is_alphabetic()).count() >= 4
        && !text.chars().any(char::is_lowercase)
        && !text.contains(':');
    let alone = next.is_none_or(|next| !next.trim().starts_with(char::is_lowercase));
    let heading = (bold_only && words <= 9 || shouts && alone) && !item && !leads_with_time(&text)
        || (text.ends_with(':') && after_label.is_empty() && words <= 10 && !item);
    Line {
        number,
        kind: if heading {
            Kind::Heading(7)
        } else if item {
            Kind::Item
        } else {
            Kind::Prose
        },
        indent,
        label,
        after_label,
        leads_with_time: leads_with_time(&text),
        text,
    }
}

/// Whether a line only separates.
fn is_rule(trimmed: &str) -> bool {
    trimmed.len() >= 3 && trimmed.chars().all(|letter| "-_*=|:+ ~".contains(letter))
}

/// A row of a table; two cells are a label and its value.
fn row(number: u32, trimmed: &str) -> Line {
    let cells: Vec<String> = trimmed
        .trim_matches('|')
        .split('|')
        .map(plain)
        .filter(|cell| !cell.is_empty())
        .collect();
    let text = cells.join(" | ");
    let leads = leads_with_time(&text);
    let pair = match cells.as_slice() {
        [name, value] if !leads && name.split_whitespace().count() <= 6 => {
            Some((name.trim_end_matches(':').to_lowercase(), value.clone()))
        }
        _ => None,
    };
    let (label, after_label) =
        pair.map_or((None, String::new()), |(label, value)| (Some(label), value));
    Line {
        number,
        kind: Kind::Row,
        indent: 0,
        label,
        after_label,
        leads_with_time: leads,
        text,
    }
}

/// Whether a line is an entry of a list, and what follows its mark.
fn item(trimmed: &str) -> (bool, &str) {
    let rest = trimmed.trim_start_matches('>').trim_start();
    let after_mark = ['-', '*', '+', '•', '–', '·', '◦', '▪', '●', 'o']
        .into_iter()
        .find_map(|mark| rest.strip_prefix(mark))
        .filter(|after| after.starts_with([' ', '\t']));
    if let Some(after) = after_mark {
        return (true, without_box(after.trim_start()));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=2).contains(&digits)
        && let Some(after) = rest.get(digits..)
        && let Some(after) = after.strip_prefix(['.', ')'])
        && after.starts_with([' ', '\t'])
    {
        return (true, without_box(after.trim_start()));
    }
    let boxed = without_box(rest);
    (boxed.len() != rest.len(), boxed)
}

/// Leaves out the box of a task.
fn without_box(text: &str) -> &str {
    ["[ ]", "[x]", "[X]", "[]", "☐", "☑", "✅", "✔"]
        .into_iter()
        .find_map(|mark| text.strip_prefix(mark))
        .map_or(text, str::trim_start)
}

/// The label of a text and what follows it. A label is short, has letters,
/// and ends in a colon or a question mark.
fn label(text: &str) -> (Option<String>, String) {
    let none = (None, String::new());
    let Some(end) = text.find([':', '?']) else {
        return none;
    };
    let name = text.get(..end).unwrap_or_default().trim();
    let after = text.get(end + 1..).unwrap_or_default();
    let words = name.split_whitespace().count();
    let name: String = name
        .trim_start_matches(|letter: char| !letter.is_alphanumeric())
        .to_lowercase();
    let fits = (1..=6).contains(&words)
        && name.len() <= 60
        && name.starts_with(char::is_alphabetic)
        && (after.is_empty() || after.starts_with(' '));
    if fits {
        (Some(name), after.trim().to_owned())
    } else {
        none
    }
}

/// Whether a text begins with a time or a date, as lines of a timeline do.
pub(super) fn leads_with_time(text: &str) -> bool {
    let text = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = text.get(digits..).unwrap_or_default();
    let mut rest = after.chars();
    match (digits, rest.next()) {
        (1..=2, Some(':' | 'h' | '.')) => rest.next().is_some_and(|next| next.is_ascii_digit()),
        (4, Some('-' | '/')) => rest.next().is_some_and(|next| next.is_ascii_digit()),
        // A damaged time.
        (1..=2, Some(other)) if !other.is_ascii() => rest.any(|next| next.is_ascii_digit()),
        (1..=2, Some(' ')) => {
            let after = after.trim_start().to_lowercase();
            after.starts_with("am ") || after.starts_with("pm ")
        }
        _ => false,
    }
}

/// Whether a bracket holds an address and nothing else.
fn is_address_alone(rest: &str) -> bool {
    (rest.starts_with("http://") || rest.starts_with("https://"))
        && rest.find(')').is_some_and(|end| {
            rest.get(..end)
                .is_some_and(|inside| !inside.contains(char::is_whitespace))
        })
}

/// A text without its markup: links are their words, addresses are left out,
/// spaces are plain.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let here = rest;
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        if here.starts_with("http://") || here.starts_with("https://") {
            let end = here
                .find(|c: char| c.is_whitespace() || ")>]\"'".contains(c))
                .unwrap_or(here.len());
            rest = here.get(end..).unwrap_or_default();
            continue;
        }
        match letter {
            '`' => {}
            '*' if rest.starts_with('*') => rest = rest.get(1..).unwrap_or_default(),
            '*' if rest.starts_with(char::is_alphanumeric)
                || out.ends_with(char::is_alphanumeric) => {}
            '_' if here.starts_with("__") => rest = rest.get(1..).unwrap_or_default(),
            '[' if !rest.starts_with(char::is_numeric) => {}
            // The target of a link is no text; what is no target stays.
            ']' if rest.starts_with('(') => {
                let target = rest.find(')').filter(|end| {
                    rest.get(..*end)
                        .is_some_and(|target| !target.contains(char::is_whitespace))
                });
                match target {
                    Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
                    None => rest = rest.get(1..).unwrap_or_default(),
                }
            }
            '(' if is_address_alone(rest) => {
                let end = rest.find(')').unwrap_or(rest.len());
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            ']' => out.push(' '),
            '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' | '\t' | '\u{3000}' => out.push(' '),
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fe0f}' => {}
            '’' | '‘' => out.push('\''),
            '“' | '”' | '«' | '»' => out.push('"'),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
