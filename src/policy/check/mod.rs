//! Checks a condition when it is loaded: names, types, closed lists, and what
//! keeps its evaluation bounded.

mod calls;
mod contradiction;
mod names;
mod place;

use std::collections::BTreeSet;
use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, Expr, ListExpr, LiteralValue, SourceInfo, operators};

use super::variables::{self, Type};

pub(super) use names::{full_name, number, unknown};
pub(super) use place::children;

/// The longest condition, in bytes.
pub(super) const LONGEST: usize = 4_096;
/// How deep a parsed condition may be nested.
const DEEPEST: usize = 64;
/// How many comprehensions may stand inside each other.
const COMPREHENSIONS: usize = 2;
/// How many comprehensions one condition may have.
const ALL_COMPREHENSIONS: usize = 4;
/// How many elements a list literal may have.
const LIST_LITERAL: usize = 100;
/// How often the parser may recover before it gives up.
const RECOVERIES: u32 = 10;

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where in the condition, in characters; `None` for all of it.
    pub(super) place: Option<Range<usize>>,
    /// What, in words.
    pub(super) what: String,
}

/// A condition that passed.
#[derive(Debug)]
pub(super) struct Checked {
    /// The parsed expression, at most 64 levels deep.
    pub(super) expression: IdedExpr,
    /// The variables it reads, by place in the table.
    pub(super) reads: BTreeSet<usize>,
}

/// Whether a rule looks at one change or at all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// At each change.
    Change,
    /// At the whole difference.
    Difference,
}

/// Parses and checks one condition. Wants a large stack, since the parser
/// recurses for each level of nesting.
pub(super) fn check(source: &str, scope: Scope) -> Result<Checked, Vec<Fault>> {
    let whole = |what: String| Err(vec![Fault { place: None, what }]);
    if source.len() > LONGEST {
        return whole(format!(
            "a condition has at most {LONGEST} bytes; this one has {}",
            source.len()
        ));
    }
    if source.trim().is_empty() {
        return whole("the condition is empty".to_owned());
    }
    let parsed = cel::parser::Parser::new()
        .error_recovery_limit(RECOVERIES)
        .parse_with_source_info(source);
    let (expression, info) = match parsed {
        Ok(parsed) => parsed,
        Err(errors) => return Err(place::of_parse_errors(source, &errors)),
    };
    if place::depth(&expression) > DEEPEST {
        return whole(format!(
            "the condition is nested more than {DEEPEST} levels deep"
        ));
    }
    let mut checker = Checker {
        info,
        scope,
        locals: Vec::new(),
        comprehensions: 0,
        reads: BTreeSet::new(),
        faults: Vec::new(),
    };
    let found = checker.type_of(&expression);
    if !matches!(found, Ty::Bool | Ty::Unknown) {
        let what = format!("a condition must be true or false; this is {found}");
        checker.fault(&expression, what);
    }
    if checker.faults.is_empty() {
        checker.contradictions(&expression);
    }
    if checker.faults.is_empty() && checker.reads.is_empty() {
        let what = "this reads no variable, so it is always the same".to_owned();
        checker.fault(&expression, what);
    }
    if checker.faults.is_empty() {
        Ok(Checked {
            expression,
            reads: checker.reads,
        })
    } else {
        Err(checker.faults)
    }
}

/// A type inside a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ty {
    Bool,
    Int,
    Double,
    Text,
    List(Box<Ty>),
    /// Of an expression that has a fault of its own, or of an empty list's elements.
    Unknown,
}

impl Ty {
    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether the two can be the same type.
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::List(a), Self::List(b)) => a.agrees(b),
            _ => self == other,
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("a bool"),
            Self::Int => f.write_str("an int"),
            Self::Double => f.write_str("a double"),
            Self::Text => f.write_str("a string"),
            Self::List(_) => f.write_str("a list"),
            Self::Unknown => f.write_str("of unknown type"),
        }
    }
}

impl From<Type> for Ty {
    fn from(kind: Type) -> Self {
        match kind {
            Type::Bool => Self::Bool,
            Type::Int => Self::Int,
            Type::Double => Self::Double,
            Type::Text => Self::Text,
            Type::List => Self::List(Box::new(Self::Text)),
        }
    }
}

/// The state of one check.
struct Checker {
    info: SourceInfo,
    scope: Scope,
    /// The names that comprehensions bind, the innermost last.
    locals: Vec<(String, Ty)>,
    /// How many comprehensions there were.
    comprehensions: usize,
    reads: BTreeSet<usize>,
    faults: Vec<Fault>,
}

impl Checker {
    fn fault(&mut self, at: &IdedExpr, what: String) -> Ty {
        let place = place::of(&self.info, at);
        self.faults.push(Fault { place, what });
        Ty::Unknown
    }

    fn type_of(&mut self, expr: &IdedExpr) -> Ty {
        match &expr.expr {
            Expr::Ident(name) => self.name(expr, name),
            Expr::Select(select) if select.test => {
                let what = "`has` is not available: every variable exists, and a fact that could \
                            not be had is handled by `[gaps]`";
                self.fault(expr, what.to_owned())
            }
            Expr::Select(_) => self.field(expr),
            Expr::Literal(literal) => self.literal(expr, literal),
            Expr::List(list) => self.list(expr, list),
            Expr::Call(call) => self.call(expr, call),
            Expr::Comprehension(comprehension) => self.comprehension(expr, comprehension),
            Expr::Map(_) | Expr::Struct(_) => {
                self.fault(expr, "maps and messages are not available".to_owned())
            }
            Expr::Unspecified => self.fault(expr, "this is not an expression".to_owned()),
        }
    }

    fn literal(&mut self, expr: &IdedExpr, literal: &LiteralValue) -> Ty {
        match literal {
            LiteralValue::Boolean(_) => Ty::Bool,
            LiteralValue::Int(_) => Ty::Int,
            LiteralValue::Double(_) => Ty::Double,
            LiteralValue::String(_) => Ty::Text,
            LiteralValue::UInt(_) => self.fault(
                expr,
                "unsigned numbers are not available; leave out the `u`".to_owned(),
            ),
            LiteralValue::Bytes(_) => self.fault(expr, "bytes are not available".to_owned()),
            LiteralValue::Null => {
                let what = "`null` is not available: no variable is ever null";
                self.fault(expr, what.to_owned())
            }
        }
    }

    fn list(&mut self, expr: &IdedExpr, list: &ListExpr) -> Ty {
        if list.elements.len() > LIST_LITERAL {
            let what = format!("a list has at most {LIST_LITERAL} elements");
            return self.fault(expr, what);
        }
        let mut element = Ty::Unknown;
        for item in &list.elements {
            let found = self.type_of(item);
            if !element.agrees(&found) {
                let what = format!("the list starts with {element}, and this is {found}");
                self.fault(item, what);
            } else if element == Ty::Unknown {
                element = found;
            }
        }
        Ty::List(Box::new(element))
    }

    /// A comprehension is what a macro such as `exists` was expanded to.
    fn comprehension(&mut self, expr: &IdedExpr, macro_: &ComprehensionExpr) -> Ty {
        let range = self.type_of(&macro_.iter_range);
        let element = match range {
            Ty::List(element) => *element,
            Ty::Unknown => Ty::Unknown,
            Ty::Bool | Ty::Int | Ty::Double | Ty::Text => {
                return self.fault(&macro_.iter_range, format!("this is {range}, not a list"));
            }
        };
        if self.locals.len() >= COMPREHENSIONS {
            let what = format!(
                "at most {COMPREHENSIONS} of `exists`, `all`, `exists_one` and `filter` may stand \
                 inside each other"
            );
            return self.fault(expr, what);
        }
        self.comprehensions += 1;
        if self.comprehensions > ALL_COMPREHENSIONS {
            let what = format!(
                "a condition has at most {ALL_COMPREHENSIONS} of `exists`, `all`, `exists_one` and `filter`"
            );
            return self.fault(expr, what);
        }
        let name = &macro_.iter_var;
        if variables::is_group(name) || self.locals.iter().any(|(local, _)| local == name) {
            let what = format!("`{name}` has a meaning already; choose another name");
            return self.fault(expr, what);
        }
        let Some((condition, result)) = expanded(macro_, &element) else {
            let what = "only `exists`, `all`, `exists_one` and `filter` are available over lists";
            return self.fault(expr, what.to_owned());
        };
        self.locals.push((name.clone(), element));
        let found = self.type_of(condition);
        self.locals.pop();
        if !found.agrees(&Ty::Bool) {
            self.fault(
                condition,
                format!("this must be true or false, and is {found}"),
            );
        }
        result
    }
}

/// The condition that a macro was given, and the type of the whole: told apart
/// by what the expansion starts with. `map` is none of them, since it could
/// build a value of any size.
fn expanded<'e>(macro_: &'e ComprehensionExpr, element: &Ty) -> Option<(&'e IdedExpr, Ty)> {
    let Expr::Call(step) = &macro_.loop_step.expr else {
        return None;
    };
    match (&macro_.accu_init.expr, step.func_name.as_str()) {
        (
            Expr::Literal(LiteralValue::Boolean(_)),
            operators::LOGICAL_OR | operators::LOGICAL_AND,
        ) => Some((step.args.get(1)?, Ty::Bool)),
        (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL) => {
            Some((step.args.first()?, Ty::Bool))
        }
        (Expr::List(_), operators::CONDITIONAL) => {
            let Expr::Call(add) = &step.args.get(1)?.expr else {
                return None;
            };
            let Expr::List(added) = &add.args.get(1)?.expr else {
                return None;
            };
            match added.elements.as_slice() {
                [one] if one.expr == Expr::Ident(macro_.iter_var.clone()) => {
                    Some((step.args.first()?, Ty::List(Box::new(element.clone()))))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
