//! What the audits of `cargo vet` say; stated from outside, since they are read
//! beside the policy.

use super::{Reading, Type, Variable};

pub(super) const TABLE: &[Variable] = &[
    Variable::of_change(
        "vet.criteria",
        Type::List,
        "criteria that the release that comes in meets as `cargo vet` counts them by the base's files, exemptions too; absent without `supply-chain/`",
        |_| Reading::Absent,
    ),
    Variable::of_change(
        "vet.reviewed",
        Type::List,
        "criteria that it meets by audits and trust alone; absent without `supply-chain/`",
        |_| Reading::Absent,
    ),
    Variable::of_change(
        "vet.reviewed_in_change",
        Type::List,
        "criteria that it meets by audits and trust alone when those count that the change itself brings in; absent without `supply-chain/`",
        |_| Reading::Absent,
    ),
    Variable::of_change(
        "vet.violation",
        Type::Bool,
        "an audit says that the release that comes in breaks a criterion; absent without `supply-chain/`",
        |_| Reading::Absent,
    ),
];
