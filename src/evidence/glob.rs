//! The patterns of OpenSSH (ssh_config(5), PATTERNS): `*` for any text, `?` for
//! one character; in lists apart by commas `!` shuts out.

/// Whether a text fits a pattern. Takes at most the product of both lengths.
pub(super) fn fits(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut by) = (0, 0);
    let mut last_star = None;
    while at < text.len() {
        match pattern.get(by) {
            Some(b'*') => {
                last_star = Some((by, at));
                by += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(at) => {
                at += 1;
                by += 1;
            }
            Some(_) | None => {
                // Let the last star take one more.
                let Some((star, from)) = last_star else {
                    return false;
                };
                last_star = Some((star, from + 1));
                at = from + 1;
                by = star + 1;
            }
        }
    }
    pattern.iter().skip(by).all(|byte| *byte == b'*')
}

/// Whether a text fits a list of patterns and is not shut out by it.
pub(super) fn fits_list(text: &str, list: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(out) if fits(text, out) => return false,
            Some(_) => {}
            None => found |= fits(text, pattern),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_openssh() {
        for (text, pattern, wanted) in [
            ("alice@example.org", "alice@example.org", true),
            ("alice@example.org", "*@example.org", true),
            ("alice@example.org", "*@example.com", false),
            ("alice", "al?ce", true),
            ("alice", "al?", false),
            ("alice", "*", true),
            ("", "*", true),
            ("", "?", false),
            ("aXbXc", "a*X*c", true),
            ("ab", "a*b*b", false),
        ] {
            assert_eq!(fits(text, pattern), wanted, "{text} {pattern}");
        }
        assert!(fits_list("b", "a,b"));
        assert!(!fits_list("b", "!b,*"));
        assert!(!fits_list("b", "!a"));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let text = "a".repeat(5_000);
        assert!(!fits(&text, &"*a".repeat(200).replace("*a*a", "*a*a?b")));
    }
}
