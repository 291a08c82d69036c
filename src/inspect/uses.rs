//! What names stand for: the imports of a file, and the re-exports of a crate.
//! Textual: types are not known, and macros are not expanded.

use std::collections::BTreeMap;

use super::lex::{Kind, Tokens};

/// A chain of imports is followed so far.
const LONGEST_CHAIN: usize = 6;
/// So many names are kept of one file.
const MOST_NAMES: usize = 20_000;

/// What the names of one file stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    by_name: BTreeMap<String, String>,
    /// The names that the file exports under its own path.
    pub(super) exported: Vec<String>,
    /// Paths outside of the crate whose names all come in.
    pub(super) globs: Vec<String>,
}

/// So many of them are kept of one file.
const MOST_GLOBS: usize = 8;

/// One import that is still to be read: the path so far, and where it goes on.
struct Open {
    path: String,
    at: usize,
    end: usize,
}

impl Names {
    /// The imports of a file, in functions and inner modules too.
    pub(super) fn of(tokens: &Tokens<'_>) -> Self {
        let mut names = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let statement = at == 0 || !tokens.punct(at - 1, b'.');
            if tokens.is(at, "use") && statement && tokens.kind(at + 1) != Kind::Open(b'<') {
                let public = at > 0 && (tokens.is(at - 1, "pub") || is_restriction(tokens, at));
                at = names.import(tokens, at + 1, public);
            } else if tokens.is(at, "extern") && tokens.is(at + 1, "crate") {
                if tokens.is(at + 3, "as") {
                    names.add(tokens.str(at + 4), tokens.str(at + 2), false);
                }
                at += 3;
            } else {
                at += 1;
            }
        }
        names
    }

    fn add(&mut self, name: &str, path: &str, public: bool) {
        if name == path || name == "_" || self.by_name.len() >= MOST_NAMES {
            return;
        }
        if public {
            self.exported.push(name.to_owned());
        }
        self.by_name.insert(name.to_owned(), path.to_owned());
    }

    fn import(&mut self, tokens: &Tokens<'_>, start: usize, public: bool) -> usize {
        let mut end = start;
        while end < tokens.len() && !tokens.punct(end, b';') {
            match tokens.kind(end) {
                Kind::Open(b'{') => end = tokens.close(end) + 1,
                Kind::Open(_) | Kind::Close(_) => break,
                Kind::Ident
                | Kind::Lifetime
                | Kind::Text
                | Kind::Char
                | Kind::Number
                | Kind::Punct(_) => end += 1,
            }
        }
        let mut open = vec![Open {
            path: String::new(),
            at: start,
            end,
        }];
        while let Some(one) = open.pop() {
            self.tree(tokens, one, public, &mut open);
        }
        end
    }

    /// One branch of an import; its groups are put on the pile.
    fn tree(&mut self, tokens: &Tokens<'_>, one: Open, public: bool, open: &mut Vec<Open>) {
        let mut path = one.path;
        let mut at = one.at;
        let mut last = "";
        while at < one.end.min(tokens.len()) && path.len() < 300 {
            match tokens.kind(at) {
                Kind::Ident if tokens.is(at, "as") => {
                    self.add(tokens.str(at + 1), &path, public);
                    last = "";
                    at += 2;
                }
                Kind::Ident => {
                    let name = tokens.str(at);
                    if name == "self" && !path.is_empty() {
                        last = path.rsplit("::").next().map_or("", |_| "self");
                    } else {
                        if !path.is_empty() {
                            path.push_str("::");
                        }
                        path.push_str(name);
                        last = name;
                    }
                    at += 1;
                }
                Kind::Open(b'{') => {
                    let close = tokens.close(at).min(one.end);
                    let mut from = at + 1;
                    let mut place = from;
                    while place <= close {
                        let divides = place == close || tokens.punct(place, b',');
                        if divides {
                            if place > from && open.len() < MOST_NAMES {
                                open.push(Open {
                                    path: path.clone(),
                                    at: from,
                                    end: place,
                                });
                            }
                            from = place + 1;
                        }
                        place = if matches!(tokens.kind(place), Kind::Open(_)) {
                            tokens.close(place).max(place) + 1
                        } else {
                            place + 1
                        };
                    }
                    return;
                }
                Kind::Punct(b'*') => {
                    if !is_inner(&path) && path.contains("::") && self.globs.len() < MOST_GLOBS {
                        self.globs.push(path.clone());
                    }
                    last = "";
                    at += 1;
                }
                Kind::Lifetime
                | Kind::Text
                | Kind::Char
                | Kind::Number
                | Kind::Punct(_)
                | Kind::Open(_)
                | Kind::Close(_) => at += 1,
            }
        }
        if last == "self" {
            let name = path.rsplit("::").next().unwrap_or_default().to_owned();
            self.add(&name, &path, public);
        } else if !last.is_empty() && last != "self" {
            let name = last.to_owned();
            self.add(&name, &path, public);
        }
    }

    /// Whether the first name of a path was imported.
    pub(super) fn knows(&self, path: &str) -> bool {
        let first = path.split("::").next().unwrap_or_default();
        self.by_name.contains_key(first)
    }

    /// The path with its first name replaced by what it stands for.
    pub(super) fn expand(&self, path: &str, crate_wide: &Exports) -> String {
        let mut path = path.to_owned();
        for _ in 0..LONGEST_CHAIN {
            let (first, rest) = path.split_once("::").unwrap_or((path.as_str(), ""));
            let Some(full) = self.by_name.get(first) else {
                break;
            };
            // `use std::process; process::Command` would turn in circles.
            if full.starts_with(first)
                && full.get(first.len()..).is_none_or(|r| r.starts_with("::"))
            {
                break;
            }
            path = if rest.is_empty() {
                full.clone()
            } else {
                format!("{full}::{rest}")
            };
            if path.len() > 400 {
                break;
            }
        }
        let path = crate_wide.follow(path);
        match path.split_once("::") {
            Some(("core" | "alloc", rest)) => format!("std::{rest}"),
            _ => path,
        }
    }
}

fn is_restriction(tokens: &Tokens<'_>, at: usize) -> bool {
    // `pub(crate) use`
    tokens.kind(at - 1) == Kind::Close(b')') && at >= 4 && tokens.is(at - 4, "pub")
}

/// What the crate's own modules pass on under their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports {
    by_name: BTreeMap<String, String>,
}

impl Exports {
    /// Adds the re-exports of a file that lead out of the crate.
    pub(super) fn add(&mut self, names: &Names) {
        for name in &names.exported {
            if let Some(path) = names.by_name.get(name)
                && !is_inner(path)
            {
                self.by_name.insert(name.clone(), path.clone());
            }
        }
    }

    /// Follows a path into the crate's own modules out to what they pass on.
    fn follow(&self, path: String) -> String {
        if !is_inner(&path) {
            return path;
        }
        let mut rest = path.as_str();
        while let Some((_, tail)) = rest.split_once("::") {
            let (name, behind) = tail.split_once("::").unwrap_or((tail, ""));
            if let Some(full) = self.by_name.get(name) {
                return if behind.is_empty() {
                    full.clone()
                } else {
                    format!("{full}::{behind}")
                };
            }
            rest = tail;
        }
        path
    }
}

fn is_inner(path: &str) -> bool {
    ["crate", "self", "super"].iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

/// A path at a place, without generic arguments, and the token behind it.
/// `None` where no path starts.
pub(super) fn path_at(tokens: &Tokens<'_>, start: usize) -> Option<(String, usize)> {
    if tokens.kind(start) != Kind::Ident {
        return None;
    }
    let after_dot =
        start > 0 && tokens.punct(start - 1, b'.') && !(start > 1 && tokens.punct(start - 2, b'.'));
    let after_colons = start > 1
        && tokens.colons(start - 2)
        && start > 2
        && matches!(tokens.kind(start - 3), Kind::Ident | Kind::Punct(b'>'));
    if after_dot || after_colons {
        return None;
    }
    let mut path = tokens.str(start).to_owned();
    let mut at = start + 1;
    while tokens.colons(at) && path.len() < 300 {
        if tokens.kind(at + 2) == Kind::Ident {
            path.push_str("::");
            path.push_str(tokens.str(at + 2));
            at += 3;
        } else if tokens.punct(at + 2, b'<') {
            let Some(end) = angle_end(tokens, at + 2) else {
                break;
            };
            at = end;
        } else {
            break;
        }
    }
    Some((path, at))
}

/// The token behind a list of generic arguments.
fn angle_end(tokens: &Tokens<'_>, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in start..start + 64 {
        match tokens.kind(at) {
            Kind::Punct(b'<') => depth += 1,
            Kind::Punct(b'>') if !tokens.punct(at - 1, b'-') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            Kind::Punct(b';') | Kind::Open(b'{') => return None,
            Kind::Ident
            | Kind::Lifetime
            | Kind::Text
            | Kind::Char
            | Kind::Number
            | Kind::Punct(_)
            | Kind::Open(_)
            | Kind::Close(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(source: &str, path: &str) -> String {
        let tokens = Tokens::of(source.as_bytes()).unwrap();
        Names::of(&tokens).expand(path, &Exports::default())
    }

    #[test]
    fn aliases_groups_and_chains_are_followed() {
        let source = "use std::{fs as f, net::{self, TcpStream as T, *}, process};
            use std as s; use s::env as e; fn g() { use core::mem::forget; }
            extern crate libc as c;";
        assert_eq!(expanded(source, "f::read"), "std::fs::read");
        assert_eq!(expanded(source, "net::UdpSocket"), "std::net::UdpSocket");
        assert_eq!(
            expanded(source, "T::connect"),
            "std::net::TcpStream::connect"
        );
        assert_eq!(expanded(source, "e::var"), "std::env::var");
        assert_eq!(expanded(source, "forget"), "std::mem::forget");
        assert_eq!(
            expanded(source, "process::Command"),
            "std::process::Command"
        );
        assert_eq!(expanded(source, "c::fork"), "libc::fork");
        assert_eq!(expanded(source, "other::x"), "other::x");
    }

    #[test]
    fn circles_end() {
        let source = "use a::b as c; use c::d as a; use x::x;";
        assert!(expanded(source, "a::b").len() < 1000);
        assert_eq!(expanded(source, "x::y"), "x::y");
    }

    #[test]
    fn re_exports_in_the_crate_are_followed() {
        let inner =
            Tokens::of(b"pub use std::net as wire; pub(crate) use std::process::Command;").unwrap();
        let mut exports = Exports::default();
        exports.add(&Names::of(&inner));
        let tokens = Tokens::of(b"use crate::sys::{wire, Command as C};").unwrap();
        let names = Names::of(&tokens);
        assert_eq!(
            names.expand("wire::TcpStream", &exports),
            "std::net::TcpStream"
        );
        assert_eq!(
            names.expand("C::new", &exports),
            "std::process::Command::new"
        );
        assert_eq!(
            names.expand("crate::sys::wire::UdpSocket", &exports),
            "std::net::UdpSocket"
        );
    }

    #[test]
    fn paths_are_read_without_generic_arguments() {
        let tokens = Tokens::of(b"a::b::<C<D>>::e(x) .f::g <T as U>::h").unwrap();
        let (path, end) = path_at(&tokens, 0).unwrap();
        assert_eq!(path, "a::b::e");
        assert_eq!(tokens.kind(end), Kind::Open(b'('));
        assert!(
            (1..end).all(|at| path_at(&tokens, at).is_none_or(|(path, _)| !path.contains('a')))
        );
    }
}
