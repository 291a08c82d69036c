//! Which files of an archive a user compiles: the module tree of the library,
//! and the files of the build script. Modules for tests only are left out.
//! Where the tree cannot be told from the text, everything that may belong to
//! it does.

use std::collections::{BTreeMap, BTreeSet};

use super::items::is_test;
use super::lex::{Kind, Tokens};
use super::manifest::{Manifest, normal};
use crate::facts::Part;
use crate::registry::SourceTree;

/// A file that is compiled, and for which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compiled {
    pub(super) part: Part,
    /// Whether its module is public, as far as the walk can tell.
    pub(super) public: bool,
}

/// What is compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Compilation {
    /// By path, Rust only.
    pub(super) files: BTreeMap<String, Compiled>,
    /// Files that are included as data, by path.
    pub(super) embedded: BTreeMap<String, Part>,
    /// Files that break a limit, by path.
    pub(super) unread: BTreeSet<String>,
}

/// The modules that one file declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    modules: Vec<Declared>,
    /// Arguments of `include!`, `include_str!` and `include_bytes!`.
    included: Vec<(bool, String)>,
    /// Whether there may be more than the text shows.
    unclear: bool,
    too_large: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Declared {
    name: String,
    /// The inline modules around it.
    inside: Vec<String>,
    path: Option<String>,
    public: bool,
}

/// Outlines by content, so that a file that is the same on both sides is read once.
#[derive(Debug, Default)]
pub(super) struct Outlines<'a> {
    by_path: BTreeMap<&'a str, Vec<(&'a [u8], Outline)>>,
}

impl<'a> Outlines<'a> {
    fn of(&mut self, path: &'a str, content: &'a [u8]) -> Outline {
        let known = self.by_path.entry(path).or_default();
        if let Some((_, outline)) = known.iter().find(|(other, _)| *other == content) {
            return outline.clone();
        }
        let outline = Outline::of(content);
        known.push((content, outline.clone()));
        outline
    }
}

/// What is compiled of an archive.
pub(super) fn compiled<'a>(
    tree: &'a SourceTree,
    manifest: &Manifest,
    outlines: &mut Outlines<'a>,
) -> Compilation {
    let mut walk = Walk {
        tree,
        outlines,
        found: Compilation::default(),
    };
    let library = if manifest.proc_macro {
        Part::ProcMacro
    } else {
        Part::Library
    };
    for script in &manifest.build_scripts {
        walk.part(script, Part::BuildScript);
    }
    if let Some(root) = &manifest.library {
        walk.part(root, library);
    }
    walk.found
}

struct Walk<'a, 'o> {
    tree: &'a SourceTree,
    outlines: &'o mut Outlines<'a>,
    found: Compilation,
}

/// A file to be walked: its path, and the directory of its modules.
struct Next {
    path: String,
    modules: String,
    public: bool,
}

impl<'a> Walk<'a, '_> {
    fn part(&mut self, root: &str, part: Part) {
        let mut unclear = false;
        let mut waiting = vec![Next {
            path: root.to_owned(),
            modules: parent(root).to_owned(),
            public: true,
        }];
        while let Some(next) = waiting.pop() {
            let Some((path, content)) = self.file(&next.path) else {
                continue;
            };
            match self.found.files.get_mut(path) {
                // What the library and the build script share counts for the build.
                Some(known) if known.part <= part && (known.public || !next.public) => continue,
                Some(known) => {
                    known.public |= next.public;
                    known.part = known.part.min(part);
                }
                None => {
                    let compiled = Compiled {
                        part,
                        public: next.public,
                    };
                    self.found.files.insert(path.to_owned(), compiled);
                }
            }
            let outline = self.outlines.of(path, content);
            if outline.too_large {
                self.found.unread.insert(path.to_owned());
            }
            unclear |= outline.unclear;
            self.follow(&next, &outline, part, &mut waiting);
        }
        if unclear && part != Part::BuildScript {
            self.everything_below(parent(root), part);
        }
    }

    fn follow(&mut self, here: &Next, outline: &Outline, part: Part, waiting: &mut Vec<Next>) {
        for (code, argument) in &outline.included {
            let beside = normal(&format!("{}/{argument}", parent(&here.path)));
            let target = if self.tree.read(&beside).is_some() {
                beside
            } else {
                normal(argument)
            };
            if *code {
                waiting.push(Next {
                    modules: parent(&target).to_owned(),
                    path: target,
                    public: here.public,
                });
            } else if self.tree.read(&target).is_some() {
                let known = self.found.embedded.entry(target).or_insert(part);
                *known = (*known).min(part);
            }
        }
        for module in &outline.modules {
            let inside = module.inside.join("/");
            let directory = normal(&format!("{}/{inside}", here.modules));
            let public = here.public && module.public;
            let candidates = match &module.path {
                Some(path) if module.inside.is_empty() => {
                    vec![normal(&format!("{}/{path}", parent(&here.path)))]
                }
                Some(path) => vec![normal(&format!("{directory}/{path}"))],
                None => vec![
                    normal(&format!("{directory}/{}.rs", module.name)),
                    normal(&format!("{directory}/{}/mod.rs", module.name)),
                ],
            };
            for path in candidates {
                let modules = if module.path.is_some() || path.ends_with("/mod.rs") {
                    parent(&path).to_owned()
                } else {
                    normal(&format!("{directory}/{}", module.name))
                };
                waiting.push(Next {
                    path,
                    modules,
                    public,
                });
            }
        }
    }

    fn file(&self, path: &str) -> Option<(&'a str, &'a [u8])> {
        let files = self.tree.files();
        let at = files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()?;
        let file = files.get(at)?;
        Some((file.path.as_str(), self.tree.content(file)))
    }

    /// Every Rust file below a directory that is not for tests by its place.
    fn everything_below(&mut self, directory: &str, part: Part) {
        for file in self.tree.files() {
            let below = directory.is_empty() || file.path.starts_with(&format!("{directory}/"));
            if below && file.path.ends_with(".rs") && !is_for_tests(&file.path) {
                let compiled = Compiled {
                    part,
                    public: false,
                };
                self.found
                    .files
                    .entry(file.path.clone())
                    .or_insert(compiled);
            }
        }
    }
}

/// Whether a file's place says that it is for tests, examples or benchmarks.
pub(super) fn is_for_tests(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    path.split('/').rev().skip(1).any(|part| {
        let part = part.to_ascii_lowercase();
        [
            "test", "tests", "bench", "benches", "example", "examples", "fixtures", "testdata",
            "corpus", "fuzz",
        ]
        .contains(&part.as_str())
            || ["test-", "test_", "tests-", "tests_"]
                .iter()
                .any(|start| part.starts_with(start))
    }) || matches!(last, "tests.rs" | "test.rs")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Outline {
    fn of(content: &[u8]) -> Self {
        // Most files declare nothing, and need no tokens for that.
        let declares = memchr::memmem::find(content, b"mod ").is_some()
            || memchr::memmem::find(content, b"include").is_some()
            || memchr::memmem::find(content, b"mod\t").is_some()
            || memchr::memmem::find(content, b"mod\n").is_some()
            || memchr::memmem::find(content, b"mod/").is_some();
        if !declares {
            return Self::default();
        }
        match Tokens::of(content) {
            Some(tokens) => Self::read(&tokens),
            None => Self {
                unclear: true,
                too_large: true,
                ..Self::default()
            },
        }
    }

    fn read(tokens: &Tokens<'_>) -> Self {
        let mut outline = Self::default();
        let mut inside: Vec<(String, usize)> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            while inside.last().is_some_and(|(_, end)| at >= *end) {
                inside.pop();
            }
            if tokens.is(at, "mod") {
                if tokens.kind(at + 1) == Kind::Ident && tokens.punct(at + 2, b';') {
                    outline.declare(tokens, at, &inside);
                    at += 3;
                    continue;
                }
                if tokens.kind(at + 1) == Kind::Ident && tokens.kind(at + 2) == Kind::Open(b'{') {
                    let attributes = Attributes::before(tokens, at);
                    let end = tokens.close(at + 2);
                    if attributes.test {
                        at = end;
                    } else if inside.len() < 64 {
                        let name = attributes
                            .path
                            .unwrap_or_else(|| tokens.str(at + 1).to_owned());
                        inside.push((name, end));
                        at += 2;
                    }
                } else if tokens.punct(at + 1, b'$') {
                    outline.unclear = true;
                }
            } else if tokens.punct(at + 1, b'!') {
                let code = tokens.is(at, "include");
                if code || tokens.is(at, "include_str") || tokens.is(at, "include_bytes") {
                    outline.include(tokens, at + 2, code);
                }
            }
            at += 1;
        }
        outline.modules.sort();
        outline.modules.dedup();
        outline.included.sort();
        outline.included.dedup();
        outline
    }

    fn declare(&mut self, tokens: &Tokens<'_>, at: usize, inside: &[(String, usize)]) {
        let attributes = Attributes::before(tokens, at);
        if attributes.test {
            return;
        }
        let public = tokens.is(at.wrapping_sub(1), "pub");
        let mut declared = Declared {
            name: tokens.str(at + 1).to_owned(),
            inside: inside.iter().map(|(name, _)| name.clone()).collect(),
            path: attributes.path,
            public,
        };
        // A path that holds under a condition may not hold under another.
        for other in attributes.other_paths {
            let mut further = declared.clone();
            further.path = Some(other);
            self.modules.push(further);
        }
        if declared.name.is_empty() {
            declared.name.push('_');
        }
        self.modules.push(declared);
    }

    fn include(&mut self, tokens: &Tokens<'_>, open: usize, code: bool) {
        let close = tokens.close(open);
        let mut path = String::new();
        for at in open + 1..close.min(open + 64) {
            match tokens.kind(at) {
                Kind::Text => path.push_str(tokens.str(at).trim_matches('"')),
                Kind::Ident if ["env", "concat", "stringify"].contains(&tokens.str(at)) => {}
                Kind::Punct(_) | Kind::Open(_) | Kind::Close(_) => {}
                Kind::Ident | Kind::Lifetime | Kind::Char | Kind::Number => self.unclear |= code,
            }
        }
        // What the build script writes is not in the archive.
        if !path.contains("OUT_DIR") {
            let path = path.replace("CARGO_MANIFEST_DIR", "");
            self.included.push((code, path));
        }
    }
}

/// The attributes in front of a module.
#[derive(Default)]
struct Attributes {
    test: bool,
    path: Option<String>,
    other_paths: Vec<String>,
}

impl Attributes {
    fn before(tokens: &Tokens<'_>, at: usize) -> Self {
        let mut found = Self::default();
        let mut end = at;
        if end > 0 && tokens.kind(end - 1) == Kind::Close(b')') {
            end = tokens.close(end - 1);
        }
        if end > 0 && tokens.is(end - 1, "pub") {
            end -= 1;
        }
        while end > 0 && tokens.kind(end - 1) == Kind::Close(b']') {
            let close = end - 1;
            let open = tokens.close(close);
            if open >= close || open == 0 {
                break;
            }
            found.test |= is_test(tokens, open);
            if tokens.is(open + 1, "path") && tokens.kind(open + 3) == Kind::Text {
                found.path = Some(tokens.str(open + 3).trim_matches('"').to_owned());
            } else if tokens.is(open + 1, "cfg_attr") {
                let paths = (open + 2..close)
                    .filter(|at| tokens.is(*at, "path") && tokens.kind(at + 2) == Kind::Text);
                found
                    .other_paths
                    .extend(paths.map(|at| tokens.str(at + 2).trim_matches('"').to_owned()));
            }
            end = open - 1;
        }
        found
    }
}
