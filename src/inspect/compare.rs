//! The two sides of an update, and the items that it touched. Files that are
//! the same are not read at all, and of the others only the items that are on
//! one side only: all that detectors see is what is new, changed or gone.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::compiled::{Compilation, Outlines, compiled};
use super::items::{Item, ItemKind, items};
use super::lex::{Kind, Tokens};
use super::manifest::Manifest;
use super::uses::{Exports, Names, path_at};
use crate::facts::Part;
use crate::pkg::PackageId;
use crate::registry::SourceTree;

/// A file that differs, as tokens.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) part: Part,
    pub(super) public: bool,
    pub(super) tokens: Tokens<'a>,
    pub(super) items: Vec<Item>,
    pub(super) names: Names,
}

/// One release.
pub(super) struct Side<'a> {
    pub(super) package: &'a PackageId,
    pub(super) tree: &'a SourceTree,
    pub(super) manifest: Manifest,
    pub(super) compilation: Compilation,
    /// The compiled files that differ from the other side's.
    pub(super) files: Vec<File<'a>>,
    /// The items of these that the other side does not have: file, item.
    touched: Vec<(usize, usize)>,
    exports: OnceCell<Exports>,
}

/// Both sides of an update, or a new package alone.
pub(super) struct Comparison<'a> {
    pub(super) old: Option<Side<'a>>,
    pub(super) new: Side<'a>,
    /// Files and manifests that were not read, in words.
    pub(super) not_read: BTreeSet<String>,
    /// Whether all compiled files are the same on both sides.
    pub(super) same_code: bool,
}

/// One touched item with what is around it.
#[derive(Clone, Copy)]
pub(super) struct View<'v, 'a> {
    pub(super) file: &'v File<'a>,
    pub(super) item: &'v Item,
    side: &'v Side<'a>,
}

/// How something is mentioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A path that is not called.
    Path,
    /// A path that is called.
    Call,
    /// A method that is called; its name alone is known.
    Method,
    /// A macro.
    Macro,
}

/// A path, call, method or macro in an item.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) how: How,
    /// With imports resolved.
    pub(super) path: String,
    /// Its first token.
    pub(super) at: usize,
    /// The token behind the path.
    pub(super) end: usize,
}

impl Mention {
    /// The last part of the path.
    pub(super) fn last(&self) -> &str {
        self.path.rsplit("::").next().unwrap_or_default()
    }

    /// Whether the path is this one, or lies below it.
    pub(super) fn below(&self, path: &str) -> bool {
        self.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

impl<'a> Comparison<'a> {
    /// Compares two archives, or looks at a new one.
    pub(super) fn of(
        old: Option<(&'a PackageId, &'a SourceTree)>,
        new: (&'a PackageId, &'a SourceTree),
    ) -> Self {
        let mut outlines = Outlines::default();
        let mut not_read = BTreeSet::new();
        let mut side = |(package, tree)| Side::of(package, tree, &mut outlines, &mut not_read);
        let mut new = side(new);
        let mut old = old.map(side);
        let known = |other: Option<&Side<'a>>, path: &str, content: &[u8], part: Part| {
            other.is_some_and(|other| {
                other
                    .compilation
                    .files
                    .get(path)
                    .is_some_and(|c| c.part == part)
                    && other.tree.read(path) == Some(content)
            })
        };
        let new_files =
            new.differing(|path, content, part| known(old.as_ref(), path, content, part));
        let old_files = old
            .as_ref()
            .map(|old| old.differing(|path, content, part| known(Some(&new), path, content, part)));
        let same_embedded = old.as_ref().is_some_and(|old| {
            new.compilation.embedded.len() == old.compilation.embedded.len()
                && new
                    .compilation
                    .embedded
                    .keys()
                    .all(|path| old.tree.read(path) == new.tree.read(path))
        });
        new.files = new_files;
        if let (Some(old), Some(files)) = (&mut old, old_files) {
            old.files = files;
        }
        let same_code = same_embedded
            && new.files.is_empty()
            && old.as_ref().is_some_and(|old| {
                old.files.is_empty() && new.manifest.proc_macro == old.manifest.proc_macro
            });
        for side in old.iter().chain([&new]) {
            for path in &side.compilation.unread {
                not_read.insert(format!(
                    "{path} of {} is too large to be read",
                    side.package
                ));
            }
        }
        let mut comparison = Self {
            old,
            new,
            not_read,
            same_code,
        };
        comparison.pair();
        comparison
    }

    /// Finds the items that are on one side only.
    fn pair(&mut self) {
        let mut counts: BTreeMap<Vec<u8>, (usize, usize)> = BTreeMap::new();
        for (side, file, item) in self.all() {
            let count = counts.entry(normalised(file, item)).or_default();
            if side {
                count.1 += 1;
            } else {
                count.0 += 1;
            }
        }
        let touched = |side: &Side<'_>, new: bool| {
            let mut left: BTreeMap<&[u8], usize> = BTreeMap::new();
            let mut touched = Vec::new();
            for (at, file) in side.files.iter().enumerate() {
                for (place, item) in file.items.iter().enumerate() {
                    let key = normalised(file, item);
                    let Some((key, (before, after))) = counts.get_key_value(&key) else {
                        continue;
                    };
                    let other = if new { before } else { after };
                    let used = left.entry(key.as_slice()).or_default();
                    *used += 1;
                    if *used > *other {
                        touched.push((at, place));
                    }
                }
            }
            touched
        };
        let new = touched(&self.new, true);
        let old = self.old.as_ref().map(|old| touched(old, false));
        self.new.touched = new;
        if let (Some(side), Some(touched)) = (&mut self.old, old) {
            side.touched = touched;
        }
    }

    fn all(&self) -> impl Iterator<Item = (bool, &File<'a>, &Item)> {
        let of = |new: bool| {
            move |file| {
                let file: &File<'a> = file;
                file.items.iter().map(move |item| (new, file, item))
            }
        };
        let old = self
            .old
            .iter()
            .flat_map(|old| &old.files)
            .flat_map(of(false));
        old.chain(self.new.files.iter().flat_map(of(true)))
    }

    /// The items that are new or changed.
    pub(super) fn gained(&self) -> impl Iterator<Item = View<'_, 'a>> {
        self.new.touched_items()
    }

    /// The items that are gone or changed, as they were.
    pub(super) fn lost(&self) -> impl Iterator<Item = View<'_, 'a>> {
        self.old.iter().flat_map(Side::touched_items)
    }
}

impl<'a> Side<'a> {
    fn of(
        package: &'a PackageId,
        tree: &'a SourceTree,
        outlines: &mut Outlines<'a>,
        not_read: &mut BTreeSet<String>,
    ) -> Self {
        let manifest = Manifest::read(tree).unwrap_or_else(|why| {
            not_read.insert(format!("the manifest of {package}: {why}"));
            Manifest {
                library: Some("src/lib.rs".to_owned()),
                build_scripts: vec!["build.rs".to_owned()],
                ..Manifest::default()
            }
        });
        let compilation = compiled(tree, &manifest, outlines);
        Self {
            package,
            tree,
            manifest,
            compilation,
            files: Vec::new(),
            touched: Vec::new(),
            exports: OnceCell::new(),
        }
    }

    fn differing(&self, known: impl Fn(&str, &[u8], Part) -> bool) -> Vec<File<'a>> {
        self.sources()
            .filter(|(path, content, part, _)| !known(path, content, *part))
            .filter_map(|(path, content, part, public)| File::of(path, content, part, public))
            .collect()
    }

    /// The compiled files: path, content, part, whether public.
    fn sources(&self) -> impl Iterator<Item = (&'a str, &'a [u8], Part, bool)> {
        let tree: &'a SourceTree = self.tree;
        tree.files().iter().filter_map(move |file| {
            let compiled = self.compilation.files.get(&file.path)?;
            Some((
                file.path.as_str(),
                tree.content(file),
                compiled.part,
                compiled.public,
            ))
        })
    }

    /// All compiled files with all their items, the unchanged ones too. Slow.
    pub(super) fn whole(&self) -> impl Iterator<Item = File<'a>> {
        self.sources()
            .filter_map(|(path, content, part, public)| File::of(path, content, part, public))
    }

    /// Whether any compiled file holds these bytes.
    pub(super) fn holds(&self, needle: &[u8]) -> bool {
        let finder = memchr::memmem::Finder::new(needle);
        self.sources().any(|(_, content, _, _)| {
            finder.find_iter(content).any(|at| {
                let word = |byte: Option<&u8>| {
                    byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
                };
                !word(at.checked_sub(1).and_then(|at| content.get(at)))
                    && !word(content.get(at + needle.len()))
            })
        })
    }

    /// An item of a file of this side with what is around it.
    pub(super) fn view<'v>(&'v self, file: &'v File<'a>, item: &'v Item) -> View<'v, 'a> {
        View {
            file,
            item,
            side: self,
        }
    }

    fn touched_items(&self) -> impl Iterator<Item = View<'_, 'a>> {
        self.touched.iter().filter_map(move |(file, item)| {
            let file = self.files.get(*file)?;
            Some(self.view(file, file.items.get(*item)?))
        })
    }

    /// What the crate's modules pass on; read when it is first asked for.
    fn exports(&self) -> &Exports {
        self.exports.get_or_init(|| {
            let mut exports = Exports::default();
            for (_, content, _, _) in self.sources() {
                let may = ["pub use ", ") use "]
                    .iter()
                    .any(|mark| memchr::memmem::find(content, mark.as_bytes()).is_some());
                if may && let Some(tokens) = Tokens::of(content) {
                    exports.add(&Names::of(&tokens));
                }
            }
            exports
        })
    }
}

impl<'a> File<'a> {
    fn of(path: &'a str, content: &'a [u8], part: Part, public: bool) -> Option<Self> {
        let tokens = Tokens::of(content)?;
        Some(Self {
            path,
            part,
            public,
            items: items(&tokens),
            names: Names::of(&tokens),
            tokens,
        })
    }
}

/// What makes two items the same: their tokens, and whether they run in the build.
fn normalised(file: &File<'_>, item: &Item) -> Vec<u8> {
    let mut key = vec![u8::from(file.part.runs_in_build())];
    for at in item.start..item.end.min(file.tokens.len()) {
        key.extend_from_slice(file.tokens.text(at));
        key.push(b' ');
    }
    key
}

impl<'v> View<'v, '_> {
    /// The tokens of the item.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.item.start..self.item.end.min(self.file.tokens.len())
    }

    /// The name of the item; none for what stands alone.
    pub(super) fn name(&self) -> &'v str {
        match self.item.kind {
            ItemKind::Use | ItemKind::Other => "",
            ItemKind::Fn
            | ItemKind::Type
            | ItemKind::Static
            | ItemKind::Const
            | ItemKind::Impl
            | ItemKind::Trait
            | ItemKind::Extern
            | ItemKind::Macro => &self.item.name,
        }
    }

    /// The paths, calls, methods and macros in the item, in order.
    pub(super) fn mentions(&self) -> Vec<Mention> {
        if self.item.kind == ItemKind::Use {
            return self.imported();
        }
        let tokens = &self.file.tokens;
        let mut found = Vec::new();
        let mut at = self.item.start;
        let end = self.range().end;
        while at < end {
            // What is defined is not used.
            let defined = at > 0 && tokens.is(at - 1, "fn");
            if tokens.kind(at) != Kind::Ident || defined {
                at += 1;
                continue;
            }
            let called = |next: usize| {
                tokens.kind(next) == Kind::Open(b'(')
                    || (tokens.colons(next) && tokens.punct(next + 2, b'<'))
            };
            let Some((path, behind)) = path_at(tokens, at) else {
                let method = at > 0 && tokens.punct(at - 1, b'.');
                if method && called(at + 1) {
                    found.push(Mention {
                        how: How::Method,
                        path: tokens.str(at).to_owned(),
                        at: at - 1,
                        end: at + 1,
                    });
                }
                at += 1;
                continue;
            };
            let bang =
                tokens.punct(behind, b'!') && matches!(tokens.kind(behind + 1), Kind::Open(_));
            let how = if bang {
                How::Macro
            } else if tokens.kind(behind) == Kind::Open(b'(') {
                How::Call
            } else {
                How::Path
            };
            if !self.file.names.knows(&path) {
                found.extend(self.file.names.globs.iter().map(|glob| Mention {
                    how: How::Path,
                    path: format!("{glob}::{path}"),
                    at,
                    end: behind,
                }));
            }
            let path = self.resolved(&path);
            if how != How::Path || path.contains("::") {
                found.push(Mention {
                    how,
                    path,
                    at,
                    end: behind,
                });
            }
            at = behind.max(at + 1);
        }
        found
    }

    fn resolved(&self, path: &str) -> String {
        let empty = Exports::default();
        let expanded = self.file.names.expand(path, &empty);
        let inner = ["crate::", "self::", "super::"]
            .iter()
            .any(|root| expanded.starts_with(root));
        if inner {
            self.file.names.expand(path, self.side.exports())
        } else {
            expanded
        }
    }

    /// What an import brings in, as paths.
    fn imported(&self) -> Vec<Mention> {
        let tokens = &self.file.tokens;
        self.range()
            .filter(|at| {
                let next = at + 1;
                tokens.kind(*at) == Kind::Ident
                    && !(tokens.colons(next)
                        || tokens.is(*at, "use")
                        || tokens.is(*at, "pub")
                        || tokens.is(*at, "as")
                        || tokens.is(next, "as"))
            })
            .filter_map(|at| {
                let name = if tokens.is(at, "self") {
                    None
                } else {
                    Some(tokens.str(at))
                }?;
                let path = self.resolved(name);
                path.contains("::").then(|| Mention {
                    how: How::Path,
                    path,
                    at,
                    end: at + 1,
                })
            })
            .collect()
    }
}
