//! Names in a condition: variables, their groups, and what a comprehension binds.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::super::nearest::nearest;
use super::super::variables::{self, Variable};
use super::{Checker, Scope, Ty};

impl Checker {
    /// A name alone: only comprehensions bind those.
    pub(super) fn name(&mut self, expr: &IdedExpr, name: &str) -> Ty {
        if let Some((_, ty)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return ty.clone();
        }
        let what = if variables::is_group(name) {
            format!(
                "`{name}` is a group of variables; name one of them, such as `{}`",
                first_of(name)
            )
        } else {
            unknown(name)
        };
        self.fault(expr, what)
    }

    /// A name with a dot: a variable.
    pub(super) fn field(&mut self, expr: &IdedExpr) -> Ty {
        let Some(name) = full_name(expr) else {
            let what = "only variables have fields".to_owned();
            return self.fault(expr, what);
        };
        let root = name.split('.').next().unwrap_or_default();
        if self.locals.iter().any(|(local, _)| local == root) {
            return self.fault(expr, format!("`{root}` has no fields"));
        }
        let Some((index, variable)) = variables::find(&name) else {
            return self.fault(expr, unknown(&name));
        };
        if variable.of_whole_difference() != (self.scope == Scope::Difference) {
            let what = match self.scope {
                Scope::Change => format!(
                    "`{name}` is about the whole difference; the rule needs `scope = \"difference\"`"
                ),
                Scope::Difference => format!(
                    "`{name}` is about one change, and the rule has `scope = \"difference\"`; \
                     only `difference.*` can be read there"
                ),
            };
            return self.fault(expr, what);
        }
        self.reads.insert(index);
        variable.kind.into()
    }
}

/// The variable that an expression names, when it names one.
pub(super) fn variable(expr: &IdedExpr) -> Option<&'static Variable> {
    let name = full_name(expr)?;
    variables::find(&name).map(|(_, variable)| variable)
}

/// The number that an expression spells.
#[expect(
    clippy::cast_precision_loss,
    reason = "a bound or a number of days that a person wrote"
)]
pub(in crate::policy) fn number(expr: &IdedExpr) -> Option<f64> {
    if let Expr::Literal(LiteralValue::Int(number)) = &expr.expr {
        return Some(*number.inner() as f64);
    }
    if let Expr::Literal(LiteralValue::Double(number)) = &expr.expr {
        return Some(*number.inner());
    }
    if let Expr::Call(call) = &expr.expr
        && call.func_name == operators::NEGATE
    {
        return call.args.first().and_then(number).map(|number| -number);
    }
    None
}

/// The name with dots that an expression spells.
pub(in crate::policy) fn full_name(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            let mut name = full_name(&select.operand)?;
            name.push('.');
            name.push_str(&select.field);
            Some(name)
        }
        Expr::Select(_)
        | Expr::Unspecified
        | Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Struct(_) => None,
    }
}

fn first_of(group: &str) -> &'static str {
    variables::all()
        .map(|variable| variable.name)
        .find(|name| name.split('.').next() == Some(group))
        .unwrap_or_default()
}

/// The message for an unknown name, with the nearest known one: by the whole
/// name, or by what stands after the dot.
pub(in crate::policy) fn unknown(name: &str) -> String {
    let near = nearest(name, variables::all().map(|variable| variable.name)).or_else(|| {
        let last = name.rsplit('.').next().unwrap_or(name);
        let same_end = nearest(
            last,
            variables::all().filter_map(|variable| variable.name.split('.').nth(1)),
        )?;
        variables::all()
            .map(|variable| variable.name)
            .find(|name| name.split('.').nth(1) == Some(same_end))
    });
    match near {
        Some(near) => format!("no variable `{name}`; did you mean `{near}`?"),
        None => format!("no variable `{name}`"),
    }
}
