//! A look at HTML as a browser's tokenizer sees it, far enough to tell whether
//! text has become markup.

/// The names of all start and end tags, in order. Text of style and script
/// elements is skipped, as browsers do.
pub(crate) fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '!' | '-'))
            .collect();
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        if !begins {
            continue;
        }
        rest = &rest[name.len()..];
        // To the end of the tag, over quoted values.
        let mut quote = None;
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None, '>') => {
                    rest = &rest[at + 1..];
                    break;
                }
                _ => {}
            }
        }
        if name == "style" || name == "script" {
            let end = format!("</{name}");
            rest = &rest[rest.find(&end).unwrap_or(rest.len())..];
        }
        tags.push(name);
    }
    tags
}

/// Characters that change what is shown around them, line ends apart.
pub(crate) fn deceptive(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| {
            (c.is_control() && *c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        })
        .collect()
}
