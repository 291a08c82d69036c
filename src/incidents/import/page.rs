//! A text as a page: which section each line stands in, and the sentences
//! with the lines they begin in.

use super::page_lines::{Kind, Line, lines};
use super::words::{Words, find};

/// What a part of a postmortem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Front,
    Title,
    Summary,
    Duration,
    Start,
    End,
    Date,
    Impact,
    Cause,
    Trigger,
    Timeline,
    Resolution,
    Detection,
    Suspected,
    Actions,
    Lessons,
    Other,
}

impl Section {
    fn of(name: &str) -> Self {
        match name {
            "summary" => Self::Summary,
            "duration" => Self::Duration,
            "start" => Self::Start,
            "end" => Self::End,
            "date" => Self::Date,
            "impact" => Self::Impact,
            "cause" => Self::Cause,
            "trigger" => Self::Trigger,
            "timeline" => Self::Timeline,
            "resolution" => Self::Resolution,
            "detection" => Self::Detection,
            "suspected" => Self::Suspected,
            "actions" => Self::Actions,
            "lessons" => Self::Lessons,
            _ => Self::Other,
        }
    }

    /// Whether the account sums itself up here.
    pub(super) fn is_summary(self) -> bool {
        matches!(
            self,
            Self::Summary | Self::Duration | Self::Start | Self::End | Self::Impact | Self::Date
        )
    }

    /// Whether it tells what is to be done or was learned, and not what happened.
    pub(super) fn is_afterwards(self) -> bool {
        matches!(self, Self::Actions | Self::Lessons)
    }
}

/// A piece of text that says one thing.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// The line it begins in, from 1.
    pub(super) line: u32,
    /// As it is written, without markup.
    pub(super) text: String,
    /// The same in lower case.
    pub(super) lower: String,
    pub(super) section: Section,
    /// What it stands in: a heading, an item of a list, a row, or prose.
    pub(super) kind: Kind,
    /// Whether it begins an item, a row or a paragraph.
    pub(super) leads: bool,
    /// The label before it on its line, in lower case.
    pub(super) label: Option<String>,
    /// Which paragraph, item or row of the page it is part of.
    pub(super) block: usize,
}

/// A whole text.
pub(super) struct Page {
    pub(super) sentences: Vec<Sentence>,
}

impl Page {
    /// Reads a text.
    pub(super) fn read(text: &str, words: &Words) -> Self {
        let lines = lines(text);
        let mut reader = Reader {
            words,
            section: Section::Summary,
            level: 0,
            seen_title: false,
            blocks: Vec::new(),
            open: false,
        };
        // What stands before the first heading sums the account up.
        for line in &lines {
            reader.line(line);
        }
        let mut sentences = Vec::new();
        for (block, content) in reader.blocks.iter().enumerate() {
            content.sentences(block, &mut sentences);
        }
        Self { sentences }
    }

    /// The sentences that tell what happened.
    pub(super) fn told(&self) -> impl Iterator<Item = &Sentence> {
        self.sentences
            .iter()
            .filter(|sentence| !sentence.section.is_afterwards())
    }
}

/// A paragraph, an item or a row.
struct Block {
    section: Section,
    kind: Kind,
    label: Option<String>,
    /// Pieces of text with their lines.
    pieces: Vec<(u32, String)>,
}

impl Block {
    /// Adds the sentences of the block.
    fn sentences(&self, block: usize, out: &mut Vec<Sentence>) {
        let mut text = String::new();
        let mut starts: Vec<(usize, u32)> = Vec::new();
        for (line, piece) in &self.pieces {
            if !text.is_empty() {
                text.push(' ');
            }
            starts.push((text.len(), *line));
            text.push_str(piece);
        }
        let mut next_line = starts.iter().peekable();
        let mut line = self.pieces.first().map_or(1, |(line, _)| *line);
        for (index, (at, sentence)) in split(&text).into_iter().enumerate() {
            while let Some((_, here)) = next_line.next_if(|(start, _)| *start <= at) {
                line = *here;
            }
            out.push(Sentence {
                line,
                text: sentence.to_owned(),
                lower: sentence.to_lowercase(),
                section: self.section,
                kind: self.kind,
                leads: index == 0,
                label: if index == 0 { self.label.clone() } else { None },
                block,
            });
        }
    }
}

/// The most lines of one paragraph; a longer one is read as several.
const MAX_PIECES: usize = 40;

/// Splits a paragraph into sentences, with the byte each begins at.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'.' | b'!' | b'?' | b';') || bytes.get(at + 1) != Some(&b' ') {
            continue;
        }
        let word = text
            .get(start..at)
            .unwrap_or_default()
            .rsplit(' ')
            .next()
            .unwrap_or_default();
        // `a.m.`, `e.g.`, `approx.`, and a number that counts an entry.
        let short = *byte == b'.'
            && (word.len() == 1
                || word.contains('.') && word.len() <= 4
                || matches!(
                    word.to_lowercase().as_str(),
                    "approx"
                        | "ca"
                        | "no"
                        | "vs"
                        | "dr"
                        | "mr"
                        | "ms"
                        | "inc"
                        | "etc"
                        | "aug"
                        | "sep"
                        | "sept"
                        | "oct"
                        | "nov"
                        | "dec"
                        | "jan"
                        | "feb"
                        | "mar"
                        | "apr"
                ));
        let next = text.get(at + 2..).and_then(|rest| rest.chars().next());
        let begins = next.is_some_and(|next| !next.is_lowercase());
        if begins && !short {
            push(text, start, at + 1, &mut out);
            start = at + 2;
        }
    }
    push(text, start, text.len(), &mut out);
    out
}

/// Adds a piece of a text that is not empty.
fn push<'t>(text: &'t str, start: usize, end: usize, out: &mut Vec<(usize, &'t str)>) {
    if let Some(piece) = text.get(start..end)
        && !piece.trim().is_empty()
    {
        out.push((start, piece.trim()));
    }
}

/// Goes over the lines and keeps the section.
struct Reader<'w> {
    words: &'w Words,
    section: Section,
    /// The level of the heading that opened the section.
    level: u8,
    seen_title: bool,
    blocks: Vec<Block>,
    /// Whether the last block may go on.
    open: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line) {
        match line.kind {
            Kind::Blank => self.open = false,
            Kind::Code => {}
            Kind::Front => self.block(line, Section::Front, line.label.clone(), &line.text),
            Kind::Heading(level) => self.heading(line, level),
            Kind::Item | Kind::Row | Kind::Prose => self.content(line),
        }
    }

    fn block(&mut self, line: &Line, section: Section, label: Option<String>, text: &str) {
        self.open = true;
        self.blocks.push(Block {
            section,
            kind: line.kind,
            label,
            pieces: vec![(line.number, text.to_owned())],
        });
    }

    /// A heading opens a section, or goes on with the one it stands in.
    fn heading(&mut self, line: &Line, level: u8) {
        // The first heading is the title, unless it is the name of a section as it stands.
        let exact = if self.seen_title || level > 1 { 0 } else { 200 };
        let known = self.known(&line.text, true, exact);
        let is_title = !self.seen_title && level <= 2 && known.is_none();
        if is_title {
            self.seen_title = true;
            self.block(line, Section::Title, None, &line.text);
            self.open = false;
            return;
        }
        let has_digits = line.text.bytes().any(|byte| byte.is_ascii_digit());
        match known {
            Some(section) => {
                self.section = section;
                self.level = level;
            }
            None if level > self.level => {}
            None if self.section == Section::Timeline && has_digits => {}
            None if level == 7 && self.section == Section::Actions => {}
            None => {
                self.section = Section::Other;
                self.level = level;
            }
        }
        let section = self.section;
        self.block(line, section, None, &line.text);
        if let Some(block) = self.blocks.last_mut() {
            block.kind = Kind::Heading(level);
        }
        self.open = false;
    }

    fn content(&mut self, line: &Line) {
        let plain = line.kind == Kind::Prose
            && !self.open
            && line.label.is_none()
            && !line.text.ends_with(['.', ',']);
        if plain
            && line.text.split_whitespace().count() <= 6
            && self.known(&line.text, true, 100).is_some()
        {
            self.heading(line, 7);
            return;
        }
        if let Some(label) = &line.label {
            let keeps = self.section == Section::Actions && line.kind == Kind::Item;
            if let Some(section) = self.known(label, false, 0).filter(|_| !keeps) {
                if line.after_label.is_empty() {
                    self.section = section;
                    self.level = 7;
                    self.block(line, section, Some(label.clone()), "");
                    self.open = false;
                } else {
                    // A row or a short label says one thing; the section around it goes on.
                    let single = line.kind == Kind::Row
                        || matches!(
                            section,
                            Section::Start | Section::End | Section::Date | Section::Duration
                        );
                    if !single {
                        self.section = section;
                        self.level = self.level.max(3);
                    }
                    self.block(line, section, Some(label.clone()), &line.after_label);
                }
                return;
            }
            if line.after_label.is_empty() && line.kind != Kind::Row {
                let keeps = matches!(
                    self.section,
                    Section::Timeline | Section::Actions | Section::Resolution
                );
                if !keeps && line.text.split_whitespace().count() <= 5 {
                    self.section = Section::Other;
                }
            }
        }
        let joins = self.open
            && line.kind == Kind::Prose
            && line.label.is_none()
            && !line.leads_with_time
            && self.blocks.last().is_some_and(|block| {
                let ended = block
                    .pieces
                    .last()
                    .is_some_and(|(_, text)| text.ends_with(['.', '!', '?', ':']));
                let fits = block.section == self.section
                    && !matches!(block.kind, Kind::Heading(_) | Kind::Row | Kind::Front);
                fits && (!ended || line.text.starts_with(char::is_lowercase) || line.indent > 0)
            });
        let joins = joins
            && self
                .blocks
                .last()
                .is_some_and(|block| block.pieces.len() < MAX_PIECES);
        if joins && let Some(block) = self.blocks.last_mut() {
            block.pieces.push((line.number, line.text.clone()));
            return;
        }
        self.block(line, self.section, line.label.clone(), &line.text);
    }

    /// The section that a heading or a label names.
    fn known(&self, text: &str, heading: bool, least: usize) -> Option<Section> {
        let lower: String = text
            .to_lowercase()
            .chars()
            .map(|letter| {
                if letter.is_alphanumeric() || "-&;'".contains(letter) {
                    letter
                } else {
                    ' '
                }
            })
            .collect();
        let lower = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = lower.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let count = lower.split(' ').count();
        if lower.is_empty() || count > if heading { 9 } else { 6 } {
            return None;
        }
        let mut best: Option<(usize, Section)> = None;
        for (name, phrases) in &self.words.sections {
            for phrase in phrases {
                let words = phrase.split(' ').count();
                let fits = lower == phrase
                    || (phrase.len() >= 4
                        && lower.starts_with(phrase.as_str())
                        && (heading || count <= words + 2)
                        && find(lower, &format!("{phrase}.")).is_some())
                    || (phrase.len() >= 6
                        && heading
                        && !text.ends_with('?')
                        && count <= words + 4
                        && find(lower, phrase).is_some());
                // The whole heading says more than its start, and that more than a part of it.
                let weight = phrase.len()
                    + if lower == phrase {
                        200
                    } else if lower.starts_with(phrase.as_str()) {
                        100
                    } else {
                        0
                    };
                if fits && weight >= least && best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, Section::of(name)));
                }
            }
        }
        best.map(|(_, section)| section)
    }
}
