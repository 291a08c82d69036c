//! The files of a git revision, read from its objects.

use std::path::Path;

use super::git::{Git, Object, parse_listing};
use super::{
    GitError, LeftOut, MAX_DEPTH, MAX_FILES, Tree, TreeError, TreeFile, TreeKind, is_plain,
    odd_path, regular,
};

/// Contents are read in parts of at most this many bytes, one process for each.
const BATCH_BYTES: u64 = 256 * 1024 * 1024;

/// The files of a git revision.
pub struct GitTree<'h> {
    git: Git<'h>,
    files: Vec<TreeFile>,
    /// The object ids, by place in `files`.
    ids: Vec<String>,
    /// The places in `files` whose size git does not know.
    unknown: Vec<usize>,
    left_out: Vec<LeftOut>,
}

impl<'h> GitTree<'h> {
    /// Lists the files of a commit.
    ///
    /// # Errors
    /// When git fails, or a limit is broken.
    pub(crate) fn open(git: Git<'h>, commit: &str) -> Result<Self, TreeError> {
        let output = git.listing(commit)?;
        let mut listed = Vec::new();
        let mut left_out = Vec::new();
        for line in parse_listing(&output) {
            let line = line.ok_or_else(|| GitError::Unexpected {
                command: "ls-tree".to_owned(),
                detail: "a line that is not of its form".to_owned(),
            })?;
            let path = String::from_utf8_lossy(line.path);
            if std::str::from_utf8(line.path).is_err() || !is_plain(&path) {
                left_out.extend(odd_path(&path));
                continue;
            }
            if path.split('/').count() > MAX_DEPTH + 1 {
                return Err(TreeError::TooDeep {
                    path: path.into_owned(),
                });
            }
            let kind = match line.mode {
                "120000" => TreeKind::Link,
                "160000" => TreeKind::Submodule,
                _ => TreeKind::Regular,
            };
            let size = if kind == TreeKind::Regular {
                line.size
            } else {
                Some(0)
            };
            let file = TreeFile {
                path: path.into_owned(),
                kind,
                size: size.unwrap_or_default(),
            };
            listed.push((file, line.id.to_owned(), size.is_none()));
            if listed.len() > MAX_FILES {
                return Err(TreeError::TooMany);
            }
        }
        listed.sort_unstable();
        // A broken tree object can name a path twice; the first one counts.
        listed.dedup_by(|(a, ..), (b, ..)| a.path == b.path);
        left_out.sort_unstable();
        let unknown = listed
            .iter()
            .zip(0..)
            .filter(|((.., u), _)| *u)
            .map(|(_, at)| at)
            .collect();
        let (files, ids) = listed.into_iter().map(|(file, id, _)| (file, id)).unzip();
        Ok(Self {
            git,
            files,
            ids,
            unknown,
            left_out,
        })
    }

    /// The object of a file that may be read.
    fn object(&self, path: &str, limit: u64) -> Result<(String, u64), TreeError> {
        let file = regular(self, path, limit)?;
        let at = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok();
        let id = at.and_then(|at| self.ids.get(at));
        match (at, id) {
            (Some(at), Some(id)) if self.unknown.binary_search(&at).is_ok() => {
                Err(TreeError::NotFetched {
                    path: path.to_owned(),
                    object: id.clone(),
                })
            }
            (_, Some(id)) => Ok((id.clone(), file.size)),
            (_, None) => Err(TreeError::NotFound {
                path: path.to_owned(),
            }),
        }
    }

    /// Reads the objects of one part.
    fn read_part(
        &self,
        part: &[(usize, &str, String)],
        out: &mut [Option<Result<Vec<u8>, TreeError>>],
    ) {
        let ids: Vec<String> = part.iter().map(|(.., id)| id.clone()).collect();
        let answer = self.git.objects(&ids);
        let failed = answer.as_ref().err().map(ToString::to_string);
        let mut objects = answer.unwrap_or_default().into_iter();
        for (at, path, id) in part {
            let result = match (objects.next(), &failed) {
                (Some(Object::Found { content, .. }), _) => Ok(content),
                (Some(Object::Missing | Object::Ambiguous), _) => Err(TreeError::NotFetched {
                    path: (*path).to_owned(),
                    object: id.clone(),
                }),
                (None, message) => Err(TreeError::Git(GitError::Failed {
                    command: "cat-file".to_owned(),
                    message: message.clone().unwrap_or_else(|| "no answer".to_owned()),
                })),
            };
            if let Some(slot) = out.get_mut(*at) {
                *slot = Some(result);
            }
        }
    }
}

impl Tree for GitTree<'_> {
    fn files(&self) -> &[TreeFile] {
        &self.files
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, TreeError> {
        let not_found = || {
            Err(TreeError::NotFound {
                path: path.to_owned(),
            })
        };
        self.read_many(&[path], limit)
            .pop()
            .unwrap_or_else(not_found)
    }

    fn read_many(&self, paths: &[&str], limit: u64) -> Vec<Result<Vec<u8>, TreeError>> {
        let mut out: Vec<Option<Result<Vec<u8>, TreeError>>> = Vec::with_capacity(paths.len());
        let mut part: Vec<(usize, &str, String)> = Vec::new();
        let mut bytes = 0;
        out.resize_with(paths.len(), || None);
        for (at, path) in paths.iter().enumerate() {
            match self.object(path, limit) {
                Ok((id, size)) => {
                    if bytes + size > BATCH_BYTES && !part.is_empty() {
                        self.read_part(&part, &mut out);
                        part.clear();
                        bytes = 0;
                    }
                    bytes += size;
                    part.push((at, path, id));
                }
                Err(error) => {
                    if let Some(slot) = out.get_mut(at) {
                        *slot = Some(Err(error));
                    }
                }
            }
        }
        if !part.is_empty() {
            self.read_part(&part, &mut out);
        }
        let missing = |(at, result): (usize, Option<_>)| {
            result.unwrap_or_else(|| {
                let path = paths
                    .get(at)
                    .map(|path| (*path).to_owned())
                    .unwrap_or_default();
                Err(TreeError::NotFound { path })
            })
        };
        out.into_iter().enumerate().map(missing).collect()
    }

    fn root(&self) -> Option<&Path> {
        None
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
