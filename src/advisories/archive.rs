//! The files of an advisory database in an archive, which is read in memory
//! and under limits. Nothing of it is written anywhere.

use std::cell::Cell;
use std::io::{self, Read};
use std::path::Component;
use std::rc::Rc;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::update::{Files, Limits, UpdateError};

const GZIP: &[u8] = &[0x1f, 0x8b];
const OTHERS: [(&[u8], &str); 3] = [
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (b"BZh", "bzip2"),
];

/// Reads a `tar` archive, as it is or compressed with gzip. `name` is what
/// errors call it.
///
/// # Errors
/// When it is no such archive, breaks a limit, or holds a path that leads out
/// of it.
pub(super) fn read(bytes: &[u8], name: &str, limits: &Limits) -> Result<Files, UpdateError> {
    if let Some((_, compression)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(UpdateError::Compression {
            name: name.to_owned(),
            compression,
        });
    }
    let unpacked: Box<dyn Read + '_> = if bytes.starts_with(GZIP) {
        Box::new(GzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    };
    let over = Rc::new(Cell::new(false));
    let bounded = Bounded {
        inner: unpacked,
        left: limits.unpacked,
        over: Rc::clone(&over),
    };
    let files = walk(bounded, name, limits);
    if files.is_err() && over.get() {
        return Err(UpdateError::OverLimit {
            name: name.to_owned(),
            what: "bytes when unpacked",
            limit: limits.unpacked,
        });
    }
    files
}

fn walk(reader: impl Read, name: &str, limits: &Limits) -> Result<Files, UpdateError> {
    let broken = |source: io::Error| UpdateError::Archive {
        name: name.to_owned(),
        source,
    };
    let mut archive = Archive::new(reader);
    let mut files = Files::default();
    for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
        if number as u64 >= limits.entries {
            return Err(UpdateError::OverLimit {
                name: name.to_owned(),
                what: "entries",
                limit: limits.entries,
            });
        }
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            files.commit = files.commit.or(commit(&mut entry).map_err(broken)?);
            continue;
        }
        if let Ok(seconds) = entry.header().mtime() {
            files.newest = files.newest.max(i64::try_from(seconds).ok());
        }
        let bytes = entry.path_bytes().into_owned();
        let Some((package, file)) = place(&bytes, name)? else {
            continue;
        };
        if kind != EntryType::Regular && kind != EntryType::Continuous {
            files.add(&package, &file, Err("it is not a regular file".to_owned()));
            continue;
        }
        let mut content = Vec::new();
        entry
            .by_ref()
            .take(limits.file + 1)
            .read_to_end(&mut content)
            .map_err(broken)?;
        let content = match content.len() as u64 > limits.file {
            true => Err(format!("it is larger than {} bytes", limits.file)),
            false => Ok(content),
        };
        files.add(&package, &file, content);
    }
    Ok(files)
}

/// The crate and the name of a file at `crates/CRATE/FILE`, at the root of the
/// archive or below one directory. `None` for all else.
fn place(path: &[u8], name: &str) -> Result<Option<(String, String)>, UpdateError> {
    let escapes = || UpdateError::Path {
        name: name.to_owned(),
        path: super::affected::one_line(&String::from_utf8_lossy(path)),
    };
    let path = std::str::from_utf8(path).map_err(|_| escapes())?;
    let mut parts = Vec::new();
    for component in std::path::Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(escapes)?),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(escapes());
            }
        }
    }
    let directory = path.ends_with('/');
    Ok(match parts.as_slice() {
        ["crates", package, file] | [_, "crates", package, file] if !directory => {
            Some(((*package).to_owned(), (*file).to_owned()))
        }
        _ => None,
    })
}

/// The commit that `git archive` notes in a global header.
fn commit(entry: &mut impl Read) -> io::Result<Option<String>> {
    let mut header = Vec::new();
    entry.take(4096).read_to_end(&mut header)?;
    let header = String::from_utf8_lossy(&header);
    Ok(header
        .lines()
        .find_map(|line| line.split_once(' ')?.1.strip_prefix("comment="))
        .filter(|id| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_owned))
}

/// A reader that fails once it has given too much.
struct Bounded<R> {
    inner: R,
    left: u64,
    over: Rc<Cell<bool>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => {
                self.over.set(true);
                return Err(io::Error::from(io::ErrorKind::FileTooLarge));
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    const SMALL: Limits = Limits {
        packed: 1 << 20,
        unpacked: 1 << 20,
        entries: 100,
        file: 1 << 12,
    };

    fn add(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, content: &[u8]) {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_600_000_000);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            add(&mut builder, path, *kind, content);
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    const FILE: EntryType = EntryType::Regular;

    #[test]
    fn only_the_files_of_crates_are_taken() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let comment = format!("52 comment={id}\n");
        let tar = archive(&[
            (
                "pax_global_header",
                EntryType::XGlobalHeader,
                comment.as_bytes(),
            ),
            ("db-main/", EntryType::Directory, b""),
            ("db-main/README.md", FILE, b"prose"),
            ("db-main/rust/std/RUSTSEC-2020-0009.md", FILE, b"other"),
            ("db-main/crates/a/RUSTSEC-2020-0001.md", FILE, b"one"),
            ("./crates/b/RUSTSEC-2020-0002.md", FILE, b"two"),
            ("x/y/crates/c/RUSTSEC-2020-0003.md", FILE, b"too deep"),
        ]);
        for bytes in [gzip(&tar), tar] {
            let files = read(&bytes, "it", &SMALL).unwrap();
            let found: Vec<_> = files
                .advisories
                .keys()
                .map(|(package, _)| package)
                .collect();
            assert_eq!(found, ["a", "b"]);
            assert_eq!(files.commit.as_deref(), Some(id));
            assert_eq!(files.newest, Some(1_600_000_000));
        }
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for path in [
            "../crates/a/RUSTSEC-2020-0001.md",
            "/crates/a/x.md",
            "crates/../../x.md",
        ] {
            let error = read(&archive(&[(path, FILE, b"x")]), "it", &SMALL).unwrap_err();
            assert!(matches!(error, UpdateError::Path { .. }), "{path}: {error}");
        }
        let escape = "crates/\u{1b}[2J/../x.md";
        let error = read(&archive(&[(escape, FILE, b"x")]), "it", &SMALL).unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'));
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bytes = gzip(&vec![0; 1 << 24]);
        assert!(bytes.len() < 1 << 18);
        let error = read(&bytes, "it", &SMALL);
        // Zeros end an archive; the bomb proper hides behind an entry.
        assert!(error.is_ok_and(|files| files.advisories.is_empty()));
        let entry = archive(&[("README.md", FILE, &vec![0; 1 << 24])]);
        let error = read(&gzip(&entry), "it", &SMALL).unwrap_err();
        assert!(matches!(error, UpdateError::OverLimit { limit, .. } if limit == 1 << 20));
        let many: Vec<_> = (0..101).map(|_| ("README.md", FILE, &b""[..])).collect();
        let error = read(&archive(&many), "it", &SMALL).unwrap_err();
        assert!(matches!(
            error,
            UpdateError::OverLimit {
                what: "entries",
                ..
            }
        ));
    }

    #[test]
    fn a_file_that_is_too_large_or_a_link_is_one_unreadable_record() {
        let tar = archive(&[
            ("crates/a/RUSTSEC-2020-0001.md", FILE, &[b'x'; 5000]),
            ("crates/b/RUSTSEC-2020-0002.md", EntryType::Symlink, b""),
            ("crates/c/RUSTSEC-2020-0003.md", FILE, b"fine"),
        ]);
        let files = read(&tar, "it", &SMALL).unwrap();
        let readable: Vec<bool> = files.advisories.values().map(Result::is_ok).collect();
        assert_eq!(readable, [false, false, true]);
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let xz = read(&[0xfd, b'7', b'z', b'X', b'Z', 0, 1], "it", &SMALL).unwrap_err();
        assert!(xz.to_string().contains("unpack it first"), "{xz}");
        let whole = gzip(&archive(&[(
            "crates/a/RUSTSEC-2020-0001.md",
            FILE,
            &[7; 900],
        )]));
        assert!(read(&whole[..whole.len() / 2], "it", &SMALL).is_err());
        let page = "<html>".repeat(200);
        assert!(matches!(
            read(page.as_bytes(), "it", &SMALL).unwrap_err(),
            UpdateError::Archive { .. }
        ));
    }
}
