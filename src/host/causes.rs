//! An error in one line.

use std::error::Error;

/// The error with all its causes, each said once.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let inner = |text: &str| Outer(std::io::Error::other(text.to_owned()));
        assert_eq!(with_causes(&inner("refused")), "no answer: refused");
        assert_eq!(with_causes(&inner("no answer")), "no answer");
    }
}
