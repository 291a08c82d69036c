//! Workflow commands, which the runner reads line by line from the output of a
//! step (<https://docs.github.com/actions/reference/workflow-commands>).

use super::visible;

/// The message of a command.
pub(in crate::report) fn data(text: &str) -> String {
    // The runner's old form of commands is recognised anywhere in a line.
    visible(text).replace('%', "%25").replace("##[", "## [")
}

/// The value of a property of a command.
pub(in crate::report) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_starts_no_command() {
        assert_eq!(
            data("a\n::stop-commands::x\r100%"),
            "a\\u{a}::stop-commands::x\\u{d}100%25"
        );
    }

    #[test]
    fn a_property_ends_no_earlier_than_it_should() {
        assert_eq!(property("a,line=1::b"), "a%2Cline=1%3A%3Ab");
    }
}
