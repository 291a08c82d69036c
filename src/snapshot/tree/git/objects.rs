//! What `ls-tree` and `cat-file --batch` print. Pure.

use super::GitError;

/// The answer to one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// An object.
    Found {
        /// Its id.
        id: String,
        /// `blob`, `tree`, `commit` or `tag`.
        kind: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// There is none.
    Missing,
    /// A short id that several objects have.
    Ambiguous,
}

/// Reads what `cat-file --batch` prints for `count` names.
pub(super) fn parse_batch(output: &[u8], count: usize) -> Result<Vec<Object>, GitError> {
    let mut rest = output;
    let mut objects = Vec::with_capacity(count);
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).ok_or_else(|| unexpected("an unfinished line"))?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        if line.ends_with(" missing") {
            objects.push(Object::Missing);
            continue;
        }
        if line.ends_with(" ambiguous") {
            objects.push(Object::Ambiguous);
            continue;
        }
        let mut words = line.split(' ');
        let (Some(id), Some(kind), Some(size), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(unexpected("a header that is none"));
        };
        let size: usize = size
            .parse()
            .map_err(|_| unexpected("a size that is none"))?;
        let (Some(content), Some(b'\n')) = (rest.get(..size), rest.get(size)) else {
            return Err(unexpected("less content than announced"));
        };
        rest = rest.get(size + 1..).unwrap_or_default();
        objects.push(Object::Found {
            id: id.to_owned(),
            kind: kind.to_owned(),
            content: content.to_vec(),
        });
    }
    if objects.len() == count {
        Ok(objects)
    } else {
        Err(unexpected("another number of objects"))
    }
}

fn unexpected(detail: &str) -> GitError {
    GitError::Unexpected {
        command: "cat-file".to_owned(),
        detail: detail.to_owned(),
    }
}

/// One line of `ls-tree -r -z -l`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    /// The file mode in octal digits.
    pub(crate) mode: &'a str,
    /// The object's id.
    pub(crate) id: &'a str,
    /// Its size; `None` where git does not know it.
    pub(crate) size: Option<u64>,
    /// The path, as bytes.
    pub(crate) path: &'a [u8],
}

/// Reads what `ls-tree -r -z -l` prints; `None` where a line is not of that form.
pub(crate) fn parse_listing(output: &[u8]) -> impl Iterator<Item = Option<Listed<'_>>> {
    output
        .split(|&b| b == 0)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let tab = memchr::memchr(b'\t', line)?;
            let (head, path) = line.split_at(tab);
            let mut words = std::str::from_utf8(head).ok()?.split_ascii_whitespace();
            let (mode, _kind, id, size) =
                (words.next()?, words.next()?, words.next()?, words.next()?);
            Some(Listed {
                mode,
                id,
                size: size.parse().ok(),
                path: path.get(1..)?,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_in_order_whatever_its_content() {
        let output = b"aa blob 9\nb missing\nx y missing\ncc blob 0\n\nz ambiguous\n";
        let found = |id: &str, content: &[u8]| Object::Found {
            id: id.into(),
            kind: "blob".into(),
            content: content.to_vec(),
        };
        let expected = [
            found("aa", b"b missing"),
            Object::Missing,
            found("cc", b""),
            Object::Ambiguous,
        ];
        assert_eq!(parse_batch(output, 4).unwrap(), expected);
        assert!(parse_batch(output, 3).is_err());
        assert!(parse_batch(b"aa blob 10\nb", 1).is_err());
        assert!(parse_batch(b"aa blob -1\nb\n", 1).is_err());
        assert!(parse_batch(b"aa blob 99999999999999999999\nb\n", 1).is_err());
        assert!(parse_batch(b"aa blob 18446744073709551615\nb\n", 1).is_err());
    }

    #[test]
    fn a_listing_keeps_odd_paths_as_they_are() {
        let output =
            b"100644 blob aa      12\ta b\n\xff\x00160000 commit bb       -\tsub\x00broken\x00";
        let listed: Vec<_> = parse_listing(output).collect();
        let first = Listed {
            mode: "100644",
            id: "aa",
            size: Some(12),
            path: b"a b\n\xff",
        };
        let second = Listed {
            mode: "160000",
            id: "bb",
            size: None,
            path: b"sub",
        };
        assert_eq!(listed, [Some(first), Some(second), None]);
    }
}
