//! A checked condition and its evaluation. The logic has more than two values,
//! so that a fact that could not be had never makes a rule silently not apply.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{Expr, operators};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, IdedExpr, Value};

use crate::facts::{FactKind, Gap};

use super::Subject;
use super::around::Given;
use super::check::{Checked, Scope, check};
use super::check::{Fault, full_name, number};
use super::variables::{self, Reader, Reading, Totals};

/// The longest list that a condition is evaluated over.
const LONGEST_LIST: usize = 256;
/// The stack for parsing conditions. A level of nesting costs the parser about
/// ten times as much without optimization.
const STACK: usize = if cfg!(debug_assertions) {
    64 << 20
} else {
    16 << 20
};

/// So many conditions take longer than the start of a thread.
const WORTH_A_THREAD: usize = 16;

static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A condition that was checked.
#[derive(Debug)]
pub(super) struct Condition {
    root: Node,
    /// The variables it reads, by place in the table.
    pub(super) reads: BTreeSet<usize>,
    /// `N` of a part `release.age_days < N` that the condition has to hold for.
    pub(super) waits_for_age: Option<f64>,
}

/// The part of a condition in which a missing fact may not matter.
#[derive(Debug)]
enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    /// A variable alone.
    Variable(usize),
    /// Anything else, with the variables it reads.
    Leaf(Box<IdedExpr>, Vec<usize>),
}

/// Compiles all conditions on threads with a large stack, each with a share of
/// them. Each answer stands in the place of its source.
pub(super) fn compile_all(sources: &[(&str, Scope)]) -> Vec<Result<Condition, Vec<Fault>>> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = sources.len().div_ceil(cores).max(WORTH_A_THREAD);
    std::thread::scope(|threads| {
        let started: Vec<_> = sources
            .chunks(share)
            .map(|part| {
                let compile = || {
                    let each = part.iter();
                    each.map(|(source, scope)| check(source, *scope).map(Condition::of))
                        .collect()
                };
                let thread = std::thread::Builder::new()
                    .name("policy".to_owned())
                    .stack_size(STACK)
                    .spawn_scoped(threads, compile);
                (part, thread.ok())
            })
            .collect();
        started
            .into_iter()
            .flat_map(|(part, thread)| {
                let compiled = thread.and_then(|thread| thread.join().ok());
                compiled.unwrap_or_else(|| not_read(part))
            })
            .collect()
    })
}

/// The answers where there was no thread to read on.
fn not_read(sources: &[(&str, Scope)]) -> Vec<Result<Condition, Vec<Fault>>> {
    let fault = Fault {
        place: None,
        what: "the condition could not be read: no thread to read it on".to_owned(),
    };
    sources.iter().map(|_| Err(vec![fault.clone()])).collect()
}

impl Condition {
    fn of(checked: Checked) -> Self {
        let waits_for_age = age_limit(&checked.expression);
        Self {
            root: Node::of(checked.expression),
            reads: checked.reads,
            waits_for_age,
        }
    }

    /// Whether it holds for what was read.
    pub(super) fn judge<'a>(&self, readings: &Readings<'a>) -> Judged<'a> {
        let mut context = Context::with_env(Arc::clone(&STANDARD));
        context.set_variable_resolver(readings);
        let outcome = self.root.evaluate(readings, &context);
        if outcome.set & (TRUE | ERROR) == 0 {
            return Judged::DoesNotHold;
        }
        if outcome.set & !(TRUE | ERROR) != 0 {
            return Judged::Unknown(outcome.gaps);
        }
        match outcome.error {
            Some(error) => Judged::Error(error),
            None => Judged::Holds,
        }
    }
}

/// What a condition is for one change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Judged<'a> {
    /// It holds.
    Holds,
    /// It does not.
    DoesNotHold,
    /// It could not be evaluated, which counts as holding.
    Error(String),
    /// It depends on facts that could not be had.
    Unknown(Vec<(FactKind, Option<&'a Gap>)>),
}

impl Node {
    fn of(mut expr: IdedExpr) -> Self {
        if let Expr::Call(call) = &mut expr.expr
            && call.target.is_none()
            && let name @ (operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::CONDITIONAL) = call.func_name.as_str()
        {
            let args = std::mem::take(&mut call.args);
            let mut parts = args.into_iter().map(|arg| Box::new(Self::of(arg)));
            match (name, parts.next(), parts.next(), parts.next()) {
                (operators::LOGICAL_AND, Some(a), Some(b), None) => return Self::And(a, b),
                (operators::LOGICAL_OR, Some(a), Some(b), None) => return Self::Or(a, b),
                (operators::LOGICAL_NOT, Some(a), None, None) => return Self::Not(a),
                (operators::CONDITIONAL, Some(condition), Some(a), Some(b)) => {
                    return Self::If(condition, a, b);
                }
                // No such call passes the checker; left without arguments it is an
                // error when it is evaluated.
                _ => {}
            }
        }
        Self::leaf(expr)
    }

    fn leaf(expr: IdedExpr) -> Self {
        if let Some((index, _)) = full_name(&expr).and_then(|name| variables::find(&name)) {
            return Self::Variable(index);
        }
        let mut reads = BTreeSet::new();
        collect_reads(&expr, &mut reads);
        Self::Leaf(Box::new(expr), reads.into_iter().collect())
    }

    fn evaluate<'a>(&self, readings: &Readings<'a>, context: &Context<'_, '_>) -> Outcome<'a> {
        match self {
            Self::And(a, b) => {
                let a = a.evaluate(readings, context);
                if a.set == FALSE {
                    return a;
                }
                a.combine(b.evaluate(readings, context), and)
            }
            Self::Or(a, b) => {
                let a = a.evaluate(readings, context);
                if a.set == TRUE {
                    return a;
                }
                a.combine(b.evaluate(readings, context), or)
            }
            Self::Not(a) => {
                let a = a.evaluate(readings, context);
                Outcome {
                    set: each(a.set, |value| match value {
                        TRUE => FALSE,
                        FALSE => TRUE,
                        other => other,
                    }),
                    ..a
                }
            }
            Self::If(condition, a, b) => {
                let mut outcome = condition.evaluate(readings, context);
                let chosen = outcome.set;
                outcome.set &= ABSENT | ERROR;
                for (value, branch) in [(TRUE, a), (FALSE, b)] {
                    if chosen & value != 0 {
                        let branch = branch.evaluate(readings, context);
                        outcome.set |= branch.set;
                        outcome.gaps.extend(branch.gaps);
                        outcome.error = outcome.error.or(branch.error);
                    }
                }
                outcome.settled()
            }
            Self::Variable(index) => match readings.get(*index) {
                Some(Read::Bool(value)) => Outcome::of(*value),
                Some(Read::Absent) => Outcome::absent(),
                Some(Read::Gap(fact, gap)) => Outcome::unknown(vec![(*fact, *gap)]),
                Some(Read::Value(_) | Read::TooLong(_)) | None => {
                    Outcome::error("a variable was not read".to_owned())
                }
            },
            Self::Leaf(expr, reads) => leaf(expr, reads, readings, context),
        }
    }
}

/// A part of a condition that the expression language evaluates.
fn leaf<'a>(
    expr: &IdedExpr,
    reads: &[usize],
    readings: &Readings<'a>,
    context: &Context<'_, '_>,
) -> Outcome<'a> {
    let mut gaps = Vec::new();
    let mut too_long = None;
    for index in reads {
        match readings.get(*index) {
            Some(Read::Absent) => return Outcome::absent(),
            Some(Read::Gap(fact, gap)) => gaps.push((*fact, *gap)),
            Some(Read::TooLong(length)) => too_long = Some((*index, *length)),
            Some(Read::Bool(_) | Read::Value(_)) => {}
            None => return Outcome::error("a variable was not read".to_owned()),
        }
    }
    if !gaps.is_empty() {
        return Outcome::unknown(gaps);
    }
    if let Some((index, length)) = too_long {
        let name = variables::all()
            .nth(index)
            .map_or("a list", |variable| variable.name);
        return Outcome::error(format!(
            "`{name}` has {length} elements, and conditions are evaluated over at most {LONGEST_LIST}"
        ));
    }
    match Value::resolve_val(expr, context) {
        Ok(value) => match value.downcast_ref::<CelBool>() {
            Some(value) => Outcome::of(*value.inner()),
            None => Outcome::error("it is neither true nor false".to_owned()),
        },
        Err(error) => Outcome::error(error.to_string()),
    }
}

fn collect_reads(expr: &IdedExpr, reads: &mut BTreeSet<usize>) {
    if let Some((index, _)) = full_name(expr).and_then(|name| variables::find(&name)) {
        reads.insert(index);
        return;
    }
    for child in super::check::children(expr) {
        collect_reads(child, reads);
    }
}

const FALSE: u8 = 1;
const TRUE: u8 = 2;
/// It asks about something that does not exist for this change.
const ABSENT: u8 = 4;
const ERROR: u8 = 8;

/// What a part of a condition can be: a set of the four values above.
#[derive(Debug)]
struct Outcome<'a> {
    set: u8,
    gaps: Vec<(FactKind, Option<&'a Gap>)>,
    error: Option<String>,
}

impl<'a> Outcome<'a> {
    fn of(value: bool) -> Self {
        let set = if value { TRUE } else { FALSE };
        Self {
            set,
            gaps: Vec::new(),
            error: None,
        }
    }

    fn absent() -> Self {
        Self {
            set: ABSENT,
            gaps: Vec::new(),
            error: None,
        }
    }

    fn error(error: String) -> Self {
        Self {
            set: ERROR,
            gaps: Vec::new(),
            error: Some(error),
        }
    }

    fn unknown(gaps: Vec<(FactKind, Option<&'a Gap>)>) -> Self {
        Self {
            set: TRUE | FALSE,
            gaps,
            error: None,
        }
    }

    /// Every value that two parts can make together.
    fn combine(self, other: Self, rule: fn(u8, u8) -> u8) -> Self {
        let set = each(self.set, |a| each(other.set, |b| rule(a, b)));
        let mut gaps = self.gaps;
        gaps.extend(other.gaps);
        Self {
            set,
            gaps,
            error: self.error.or(other.error),
        }
        .settled()
    }

    /// Forgets the gaps that turned out not to matter.
    fn settled(mut self) -> Self {
        if self.set.is_power_of_two() {
            self.gaps.clear();
        }
        self
    }
}

/// The union of a function over each value of a set.
fn each(set: u8, of: impl Fn(u8) -> u8) -> u8 {
    [FALSE, TRUE, ABSENT, ERROR]
        .into_iter()
        .filter(|value| set & value != 0)
        .fold(0, |union, value| union | of(value))
}

/// `false` settles it; what does not exist keeps it from being true; an error
/// shows only where nothing else settles it.
fn and(a: u8, b: u8) -> u8 {
    match (a, b) {
        (FALSE, _) | (_, FALSE) => FALSE,
        (ABSENT, _) | (_, ABSENT) => ABSENT,
        (ERROR, _) | (_, ERROR) => ERROR,
        _ => TRUE,
    }
}

/// `true` settles it; an error outranks what is false or does not exist.
fn or(a: u8, b: u8) -> u8 {
    match (a, b) {
        (TRUE, _) | (_, TRUE) => TRUE,
        (ERROR, _) | (_, ERROR) => ERROR,
        (ABSENT, _) | (_, ABSENT) => ABSENT,
        _ => FALSE,
    }
}

/// `N` where an expression holds only if `release.age_days < N`: waiting makes
/// it false.
fn age_limit(expr: &IdedExpr) -> Option<f64> {
    let Expr::Call(call) = &expr.expr else {
        return None;
    };
    let [a, b] = call.args.as_slice() else {
        return None;
    };
    match call.func_name.as_str() {
        operators::LOGICAL_AND => match (age_limit(a), age_limit(b)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        },
        operators::LESS | operators::LESS_EQUALS => days(a, b),
        operators::GREATER | operators::GREATER_EQUALS => days(b, a),
        _ => None,
    }
}

fn days(variable: &IdedExpr, days: &IdedExpr) -> Option<f64> {
    let age = full_name(variable).as_deref() == Some("release.age_days");
    number(days).filter(|_| age)
}

/// One variable, ready for evaluation.
#[derive(Debug)]
enum Read<'a> {
    Bool(bool),
    Value(Box<dyn Val>),
    TooLong(usize),
    Absent,
    Gap(FactKind, Option<&'a Gap>),
}

impl<'a> From<Reading<'a>> for Read<'a> {
    fn from(reading: Reading<'a>) -> Self {
        match reading {
            Reading::Bool(value) => Self::Bool(value),
            Reading::Int(value) => Self::Value(Box::new(CelInt::from(value))),
            Reading::Double(value) => Self::Value(Box::new(CelDouble::from(value))),
            Reading::Text(text) => Self::Value(Box::new(CelString::from(text.into_owned()))),
            Reading::List(texts) if texts.len() > LONGEST_LIST => Self::TooLong(texts.len()),
            Reading::List(texts) => {
                let texts = texts
                    .into_iter()
                    .map(|text| -> Box<dyn Val> { Box::new(CelString::from(text.into_owned())) });
                Self::Value(Box::new(CelList::from(texts.collect::<Vec<_>>())))
            }
            Reading::Absent => Self::Absent,
            Reading::Gap(fact, gap) => Self::Gap(fact, gap),
        }
    }
}

/// The variables that a policy's conditions read, for one change.
#[derive(Debug)]
pub(super) struct Readings<'a> {
    /// By place in the table, which they are sorted by, and by name.
    values: Vec<(usize, &'static str, Read<'a>)>,
}

impl<'a> Readings<'a> {
    /// Reads what is wanted of one change. What is given stands for what is read.
    pub(super) fn of_change(
        wanted: &BTreeSet<usize>,
        subject: Subject<'a>,
        given: Option<&Given<'a>>,
    ) -> Self {
        Self::by(wanted, given, |reader| match reader {
            Reader::Change(read) => Some(read(subject)),
            Reader::Difference(_) => None,
        })
    }

    /// Reads what is wanted of the whole difference.
    pub(super) fn of_difference(
        wanted: &BTreeSet<usize>,
        totals: &Totals,
        given: &Given<'a>,
    ) -> Self {
        Self::by(wanted, Some(given), |reader| match reader {
            Reader::Change(_) => None,
            Reader::Difference(read) => Some(read(totals)),
        })
    }

    fn by(
        wanted: &BTreeSet<usize>,
        given: Option<&Given<'a>>,
        read: impl Fn(Reader) -> Option<Reading<'a>>,
    ) -> Self {
        let values = variables::all()
            .enumerate()
            .filter(|(index, _)| wanted.contains(index))
            .filter_map(|(index, variable)| {
                let reading = match given.and_then(|given| given.get(&index)) {
                    Some(reading) => reading.clone(),
                    None => read(variable.reader)?,
                };
                Some((index, variable.name, reading.into()))
            })
            .collect();
        Self { values }
    }

    /// One variable in words, for a reason.
    pub(super) fn shown(&self, index: usize) -> String {
        match self.get(index) {
            Some(Read::Bool(value)) => value.to_string(),
            Some(Read::Value(value)) => value_in_words(value.as_ref()),
            Some(Read::TooLong(length)) => format!("({length} elements)"),
            Some(Read::Absent) | None => "(none)".to_owned(),
            Some(Read::Gap(..)) => "(not known)".to_owned(),
        }
    }

    fn get(&self, index: usize) -> Option<&Read<'a>> {
        let at = self
            .values
            .binary_search_by_key(&index, |(index, _, _)| *index);
        at.ok()
            .and_then(|at| self.values.get(at))
            .map(|(_, _, read)| read)
    }
}

/// How many elements of a list are named in a reason.
const NAMED: usize = 5;

/// A value as a person reads it: numbers with at most one digit after the point.
fn value_in_words(value: &dyn Val) -> String {
    if let Some(number) = value.downcast_ref::<CelDouble>() {
        let rounded = format!("{:.1}", number.inner());
        return rounded
            .strip_suffix(".0")
            .map_or(rounded.clone(), str::to_owned);
    }
    if let Some(number) = value.downcast_ref::<CelInt>() {
        return number.inner().to_string();
    }
    if let Some(text) = value.downcast_ref::<CelString>() {
        return text.inner().to_string();
    }
    let Some(list) = value.downcast_ref::<CelList>() else {
        return "(not known)".to_owned();
    };
    let items = list.inner();
    let named: Vec<String> = items
        .iter()
        .take(NAMED)
        .map(|item| value_in_words(item.as_ref()))
        .collect();
    match items.len().checked_sub(NAMED).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", named.join(", ")),
        None => named.join(", "),
    }
}

impl VariableResolver for Readings<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let (_, _, read) = self.values.iter().find(|(_, known, _)| *known == name)?;
        match read {
            Read::Bool(value) => Some(CowVal::owned(CelBool::from(*value))),
            Read::Value(value) => Some(CowVal::Borrowed(value.as_ref())),
            Read::TooLong(_) | Read::Absent | Read::Gap(..) => None,
        }
    }
}
