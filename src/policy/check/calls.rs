//! Operators and functions in a condition.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::super::nearest::nearest;
use super::super::variables::Variable;
use super::names::{number, variable};
use super::{Checker, Ty};

const FUNCTIONS: [&str; 4] = ["size", "int", "double", "string"];
const METHODS: [&str; 8] = [
    "contains",
    "startsWith",
    "endsWith",
    "size",
    "exists",
    "all",
    "exists_one",
    "filter",
];

impl Checker {
    pub(super) fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Ty {
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, None, [a, b]) => {
                self.bool(a);
                self.bool(b);
                Ty::Bool
            }
            (operators::LOGICAL_NOT, None, [a]) => {
                self.bool(a);
                Ty::Bool
            }
            (operators::CONDITIONAL, None, [condition, a, b]) => {
                self.bool(condition);
                let (x, y) = (self.type_of(a), self.type_of(b));
                if !x.agrees(&y) {
                    return self.fault(expr, format!("one branch is {x}, the other is {y}"));
                }
                if x == Ty::Unknown { y } else { x }
            }
            (operators::EQUALS | operators::NOT_EQUALS, None, [a, b]) => {
                self.equality(expr, &call.func_name, a, b)
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                None,
                [a, b],
            ) => self.order(expr, &call.func_name, a, b),
            (operators::IN, None, [a, b]) => self.membership(a, b),
            (operators::NEGATE, None, [a]) => self.number(a),
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY, None, [a, b])
            | (operators::DIVIDE, None, [a, b]) => self.arithmetic(expr, a, b),
            (operators::MODULO, None, [a, b]) => {
                let found = self.arithmetic(expr, a, b);
                if found == Ty::Double {
                    return self.fault(expr, "`%` is for whole numbers".to_owned());
                }
                found
            }
            (operators::INDEX, None, [a, b]) => self.index(a, b),
            _ => self.function(expr, call),
        }
    }

    fn bool(&mut self, expr: &IdedExpr) {
        let found = self.type_of(expr);
        if !found.agrees(&Ty::Bool) {
            self.fault(expr, format!("this must be true or false, and is {found}"));
        }
    }

    fn number(&mut self, expr: &IdedExpr) -> Ty {
        let found = self.type_of(expr);
        if found.is_number() || found == Ty::Unknown {
            return found;
        }
        self.fault(expr, format!("this must be a number, and is {found}"))
    }

    fn arithmetic(&mut self, expr: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Ty {
        let (x, y) = (self.number(a), self.number(b));
        if !x.agrees(&y) {
            let what = "an int and a double do not mix here; write `7.0`, or `double(…)`";
            return self.fault(expr, what.to_owned());
        }
        if x == Ty::Unknown { y } else { x }
    }

    fn equality(&mut self, expr: &IdedExpr, operator: &str, a: &IdedExpr, b: &IdedExpr) -> Ty {
        let (x, y) = (self.type_of(a), self.type_of(b));
        let comparable = x.agrees(&y) || x.is_number() && y.is_number();
        if !comparable {
            let what = format!("{x} is never equal to {y}");
            return self.fault(expr, what);
        }
        self.closed_list(a, b);
        self.closed_list(b, a);
        self.within_bounds(expr, operator, a, b);
        Ty::Bool
    }

    fn order(&mut self, expr: &IdedExpr, operator: &str, a: &IdedExpr, b: &IdedExpr) -> Ty {
        let (x, y) = (self.type_of(a), self.type_of(b));
        if x == Ty::Unknown || y == Ty::Unknown {
            return Ty::Bool;
        }
        for side in [a, b] {
            if let Some(word) = variable(side).filter(|v| !v.values.is_empty()) {
                let what = format!(
                    "the values of `{}` are words without an order; compare with `==` or `in`",
                    word.name
                );
                return self.fault(expr, what);
            }
        }
        if !(x.is_number() && y.is_number() || x == Ty::Text && y == Ty::Text) {
            return self.fault(expr, format!("{x} cannot be compared with {y}"));
        }
        self.within_bounds(expr, operator, a, b);
        Ty::Bool
    }

    fn membership(&mut self, a: &IdedExpr, b: &IdedExpr) -> Ty {
        let (x, y) = (self.type_of(a), self.type_of(b));
        match y {
            Ty::Unknown => return Ty::Bool,
            Ty::List(element) if x.agrees(&element) => {}
            Ty::List(element) => {
                self.fault(
                    a,
                    format!("this is {x}, and the list holds another type: {element}"),
                );
            }
            Ty::Bool | Ty::Int | Ty::Double | Ty::Text => {
                self.fault(b, format!("`in` needs a list here, and this is {y}"));
            }
        }
        if let Expr::List(list) = &b.expr {
            for element in &list.elements {
                self.closed_list(a, element);
            }
        }
        Ty::Bool
    }

    fn index(&mut self, a: &IdedExpr, b: &IdedExpr) -> Ty {
        let (list, at) = (self.type_of(a), self.type_of(b));
        if !at.agrees(&Ty::Int) {
            self.fault(b, format!("an index is a whole number, and this is {at}"));
        }
        match list {
            Ty::List(element) => *element,
            Ty::Unknown => Ty::Unknown,
            Ty::Bool | Ty::Int | Ty::Double | Ty::Text => {
                self.fault(a, format!("only a list has elements, and this is {list}"))
            }
        }
    }

    /// A text that is compared with a variable of a closed list must be in it.
    fn closed_list(&mut self, side: &IdedExpr, text: &IdedExpr) {
        let Some(variable) = variable(side).filter(|v| !v.values.is_empty()) else {
            return;
        };
        let Expr::Literal(LiteralValue::String(word)) = &text.expr else {
            return;
        };
        let word: &str = word.inner();
        if variable.values.contains(&word) {
            return;
        }
        let what = match nearest(word, variable.values.iter().copied()) {
            Some(near) => format!(
                "`{}` is never \"{}\"; did you mean \"{near}\"?",
                variable.name,
                word.escape_debug()
            ),
            None => format!(
                "`{}` is never \"{}\"; it is one of {}",
                variable.name,
                word.escape_debug(),
                variable.values.join(", ")
            ),
        };
        self.fault(text, what);
    }

    /// A comparison of a bounded variable with a number must not be always the same.
    fn within_bounds(&mut self, expr: &IdedExpr, operator: &str, a: &IdedExpr, b: &IdedExpr) {
        let (found, number, operator) = match (variable(a), number(b)) {
            (Some(found), Some(number)) => (found, number, operator),
            _ => match (variable(b), number(a)) {
                (Some(found), Some(number)) => (found, number, turned(operator)),
                _ => return,
            },
        };
        if let Some(always) = constant(found, operator, number) {
            let (least, greatest) = found.bounds.unwrap_or_default();
            let range = if greatest.is_finite() {
                format!("from {least} to {greatest}")
            } else {
                format!("at least {least}")
            };
            let what = format!("this is always {always}: `{}` is {range}", found.name);
            self.fault(expr, what);
        }
    }

    fn function(&mut self, expr: &IdedExpr, call: &CallExpr) -> Ty {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            ("size", None, [a]) | ("size", Some(a), []) => {
                let found = self.type_of(a);
                if matches!(found, Ty::List(_) | Ty::Text | Ty::Unknown) {
                    return Ty::Int;
                }
                self.fault(
                    a,
                    format!("only a list or a string has a size, and this is {found}"),
                )
            }
            ("int" | "double", None, [a]) => {
                self.number(a);
                if name == "int" { Ty::Int } else { Ty::Double }
            }
            ("string", None, [a]) => {
                let found = self.type_of(a);
                if matches!(found, Ty::List(_)) {
                    return self.fault(a, "a list has no string form".to_owned());
                }
                Ty::Text
            }
            ("contains" | "startsWith" | "endsWith", Some(text), [part]) => {
                for side in [text, part] {
                    let found = self.type_of(side);
                    if !found.agrees(&Ty::Text) {
                        self.fault(
                            side,
                            format!("`{name}` is for strings, and this is {found}"),
                        );
                    }
                }
                Ty::Bool
            }
            _ => self.unknown_function(expr, call),
        }
    }

    fn unknown_function(&mut self, expr: &IdedExpr, call: &CallExpr) -> Ty {
        let name = call.func_name.as_str();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.fault(expr, "this operator is not available".to_owned());
        }
        let known: &[&str] = if call.target.is_some() {
            &METHODS
        } else {
            &FUNCTIONS
        };
        let what = if known.contains(&name) {
            format!(
                "`{name}` is not called like this; see the reference of variables and functions"
            )
        } else {
            match nearest(name, known.iter().copied()) {
                Some(near) => format!("no function `{name}`; did you mean `{near}`?"),
                None => format!("no function `{name}`; known are {}", known.join(", ")),
            }
        };
        self.fault(expr, what)
    }
}

/// The operator that says the same with its sides exchanged.
pub(super) fn turned(operator: &str) -> &str {
    match operator {
        operators::LESS => operators::GREATER,
        operators::LESS_EQUALS => operators::GREATER_EQUALS,
        operators::GREATER => operators::LESS,
        operators::GREATER_EQUALS => operators::LESS_EQUALS,
        other => other,
    }
}

/// What a comparison always is, when the variable's bounds settle it.
fn constant(variable: &Variable, operator: &str, number: f64) -> Option<bool> {
    let (least, greatest) = variable.bounds?;
    match operator {
        operators::LESS if greatest < number => Some(true),
        operators::LESS if least >= number => Some(false),
        operators::LESS_EQUALS if greatest <= number => Some(true),
        operators::LESS_EQUALS if least > number => Some(false),
        operators::GREATER if least > number => Some(true),
        operators::GREATER if greatest <= number => Some(false),
        operators::GREATER_EQUALS if least >= number => Some(true),
        operators::GREATER_EQUALS if greatest < number => Some(false),
        operators::EQUALS if number < least || number > greatest => Some(false),
        operators::NOT_EQUALS if number < least || number > greatest => Some(true),
        _ => None,
    }
}
