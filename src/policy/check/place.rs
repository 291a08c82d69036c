//! Where in its source a part of a condition stands.

use std::ops::Range;

use cel::common::ast::{EntryExpr, Expr, SourceInfo};
use cel::{IdedExpr, ParseErrors};

use super::Fault;

/// The place of an expression with everything below it, in characters.
pub(super) fn of(info: &SourceInfo, expr: &IdedExpr) -> Option<Range<usize>> {
    let mut place = None;
    widen(info, expr, &mut place);
    place
}

fn widen(info: &SourceInfo, expr: &IdedExpr, place: &mut Option<Range<usize>>) {
    if let Expr::Select(select) = &expr.expr
        && select.test
    {
        // The place of `has(a.b)` is its parenthesis.
        *place = of(info, &select.operand)
            .map(|inner| inner.start..inner.end + 1 + select.field.chars().count());
        return;
    }
    if let Some((start, stop)) = info.offset_for(expr.id) {
        let start = start as usize;
        let mut end = (stop as usize).max(start) + 1;
        if let Expr::Select(select) = &expr.expr {
            // The place of a selection is its dot.
            end += select.field.chars().count();
        }
        *place = Some(match place.take() {
            Some(before) => before.start.min(start)..before.end.max(end),
            None => start..end,
        });
    }
    for child in children(expr) {
        widen(info, child, place);
    }
}

/// How deep an expression is nested.
pub(super) fn depth(expr: &IdedExpr) -> usize {
    1 + children(expr).into_iter().map(depth).max().unwrap_or(0)
}

pub(in crate::policy) fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(macro_) => vec![
            &macro_.iter_range,
            &macro_.accu_init,
            &macro_.loop_cond,
            &macro_.loop_step,
            &macro_.result,
        ],
        Expr::Map(map) => map.entries.iter().flat_map(|e| entry(&e.expr)).collect(),
        Expr::Struct(message) => message
            .entries
            .iter()
            .flat_map(|e| entry(&e.expr))
            .collect(),
    }
}

fn entry(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// What the parser said, in our words where it is the parser's own speech.
pub(super) fn of_parse_errors(source: &str, errors: &ParseErrors) -> Vec<Fault> {
    // One mistake often makes the parser stumble several times; the first is the cause.
    let Some(first) = errors.errors.first() else {
        return vec![Fault {
            place: None,
            what: "this is not a CEL expression".to_owned(),
        }];
    };
    let (line, column) = first.pos;
    let place = usize::try_from(line)
        .ok()
        .filter(|line| *line > 0)
        .map(|line| {
            let before: usize = source
                .split_inclusive('\n')
                .take(line - 1)
                .map(|text| text.chars().count())
                .sum();
            let start = before + usize::try_from(column).unwrap_or(0).saturating_sub(1);
            let start = start.min(source.chars().count());
            start..start + 1
        });
    vec![Fault {
        place,
        what: said(&first.msg),
    }]
}

/// The parser's message without its prefix and without long lists of tokens.
fn said(message: &str) -> String {
    let message = message.trim().trim_start_matches("Syntax error: ");
    if let Some(rest) = message.strip_prefix("mismatched input ") {
        let token = rest.split(" expecting").next().unwrap_or(rest);
        return match token {
            "'<EOF>'" | "<EOF>" => "the condition ends here and something is missing".to_owned(),
            _ => format!("did not expect {}", token.replace('\'', "`")),
        };
    }
    if let Some(rest) = message.strip_prefix("extraneous input ") {
        let token = rest.split(" expecting").next().unwrap_or(rest);
        return format!("did not expect {}", token.replace('\'', "`"));
    }
    if let Some(rest) = message.strip_prefix("token recognition error at: ") {
        return format!("this is not a token of CEL: {}", rest.replace('\'', "`"));
    }
    let short: String = message.chars().take(160).collect();
    format!("this is not a CEL expression: {short}")
}
