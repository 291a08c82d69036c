//! Commands that a reader will paste into a shell.

/// Whether text means nothing but itself in any shell, and is no option. A
/// command is offered for such names only.
pub(in crate::report) fn is_plain_word(text: &str) -> bool {
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+')
    };
    !text.is_empty() && text.len() <= 256 && !text.starts_with('-') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_without_a_meaning_for_shells_are_plain() {
        assert!(is_plain_word("serde_json"));
        assert!(is_plain_word("1.0.0-rc.1+5"));
        for odd in ["", "-p", "a;b", "a b", "$(x)", "a'b", "ä"] {
            assert!(!is_plain_word(odd), "{odd}");
        }
    }
}
