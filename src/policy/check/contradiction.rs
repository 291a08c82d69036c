//! Parts of a condition that contradict each other, so that a rule, or a branch
//! of it, could never apply.

use std::collections::{BTreeMap, BTreeSet};

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::super::variables::{Type, Variable};
use super::Checker;
use super::calls::turned;
use super::names::{number, variable};

/// What the conjuncts before leave possible, by variable.
#[derive(Clone, Default)]
struct Possible<'e> {
    numbers: BTreeMap<&'static str, Span>,
    words: BTreeMap<&'static str, Words<'e>>,
    flags: BTreeMap<&'static str, bool>,
}

/// Numbers between two bounds, each with whether it is itself among them.
#[derive(Clone, Copy)]
struct Span {
    least: (f64, bool),
    most: (f64, bool),
}

/// Which words a text can be.
#[derive(Clone, Default)]
struct Words<'e> {
    /// One of these; `None` for any.
    among: Option<BTreeSet<&'e str>>,
    /// And none of these.
    without: BTreeSet<&'e str>,
}

impl Checker {
    /// Finds conjuncts that cannot hold beside those before them.
    pub(super) fn contradictions(&mut self, expr: &IdedExpr) {
        self.narrow(expr, &mut Possible::default());
    }

    /// Takes over what holds when the expression does; a part that cannot hold is a fault.
    fn narrow<'e>(&mut self, expr: &'e IdedExpr, possible: &mut Possible<'e>) {
        let Expr::Call(call) = &expr.expr else {
            self.flag(expr, expr, true, possible);
            return;
        };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => {
                self.narrow(a, possible);
                self.narrow(b, possible);
            }
            (operators::LOGICAL_OR, [a, b]) => {
                // Each branch stands beside what was before; which one holds is not known.
                self.narrow(a, &mut possible.clone());
                self.narrow(b, &mut possible.clone());
            }
            (operators::LOGICAL_NOT, [a]) => self.flag(expr, a, false, possible),
            _ => self.comparison(expr, call, possible),
        }
    }

    fn flag(&mut self, at: &IdedExpr, expr: &IdedExpr, is: bool, possible: &mut Possible<'_>) {
        let Some(found) = variable(expr).filter(|found| found.kind == Type::Bool) else {
            return;
        };
        if possible.flags.insert(found.name, is) == Some(!is) {
            self.contradicts(at, found);
        }
    }

    fn comparison<'e>(
        &mut self,
        expr: &'e IdedExpr,
        call: &'e CallExpr,
        possible: &mut Possible<'e>,
    ) {
        let [a, b] = call.args.as_slice() else {
            return;
        };
        let operator = call.func_name.as_str();
        let (found, other, operator) = match (variable(a), variable(b)) {
            (Some(found), None) => (found, b, operator),
            (None, Some(found)) if operator != operators::IN => (found, a, turned(operator)),
            _ => return,
        };
        let holds = match (number(other), &other.expr) {
            (Some(number), _) => {
                let whole = found.kind == Type::Int;
                let all = Span::ALL;
                let span = possible.numbers.entry(found.name).or_insert(all);
                span.narrow(operator, number, whole);
                span.has_any(whole)
            }
            (None, Expr::Literal(LiteralValue::String(word))) => {
                let words = possible.words.entry(found.name).or_default();
                words.narrow(operator, [word.inner()].into())
            }
            (None, Expr::List(list)) if found.kind == Type::Text => {
                let texts = list.elements.iter().map(text);
                let Some(texts) = texts.collect::<Option<BTreeSet<&str>>>() else {
                    return;
                };
                let words = possible.words.entry(found.name).or_default();
                words.narrow(operator, texts)
            }
            _ => true,
        };
        if !holds {
            self.contradicts(expr, found);
        }
    }

    fn contradicts(&mut self, at: &IdedExpr, variable: &Variable) {
        let what = format!(
            "this contradicts what stands before it about `{}`, so it never holds",
            variable.name
        );
        self.fault(at, what);
    }
}

fn text(expr: &IdedExpr) -> Option<&str> {
    if let Expr::Literal(LiteralValue::String(word)) = &expr.expr {
        return Some(word.inner());
    }
    None
}

impl Span {
    const ALL: Self = Self {
        least: (f64::NEG_INFINITY, true),
        most: (f64::INFINITY, true),
    };

    fn narrow(&mut self, operator: &str, number: f64, whole: bool) {
        // Between two whole numbers that follow each other there is none.
        let (above, below) = if whole {
            ((number.floor() + 1.0, true), (number.ceil() - 1.0, true))
        } else {
            ((number, false), (number, false))
        };
        match operator {
            operators::LESS => self.at_most(below),
            operators::LESS_EQUALS => self.at_most((number, true)),
            operators::GREATER => self.at_least(above),
            operators::GREATER_EQUALS => self.at_least((number, true)),
            operators::EQUALS => {
                self.at_least((number, true));
                self.at_most((number, true));
            }
            _ => {}
        }
    }

    fn at_least(&mut self, bound: (f64, bool)) {
        if bound.0 > self.least.0 || (bound.0 >= self.least.0 && !bound.1) {
            self.least = bound;
        }
    }

    fn at_most(&mut self, bound: (f64, bool)) {
        if bound.0 < self.most.0 || (bound.0 <= self.most.0 && !bound.1) {
            self.most = bound;
        }
    }

    fn has_any(&self, whole: bool) -> bool {
        let (least, most) = match whole {
            true => (self.least.0.ceil(), self.most.0.floor()),
            false => (self.least.0, self.most.0),
        };
        least < most || (least <= most && self.least.1 && self.most.1)
    }
}

impl<'e> Words<'e> {
    /// Says whether any word is left.
    fn narrow(&mut self, operator: &str, words: BTreeSet<&'e str>) -> bool {
        match operator {
            operators::EQUALS | operators::IN => {
                self.among = Some(match self.among.take() {
                    Some(among) => among.intersection(&words).copied().collect(),
                    None => words,
                });
            }
            operators::NOT_EQUALS => self.without.extend(words),
            _ => {}
        }
        match &self.among {
            Some(among) => among.iter().any(|word| !self.without.contains(word)),
            None => true,
        }
    }
}
