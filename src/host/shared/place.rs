//! Where a shared cache is: a directory, or a bucket of an S3-compatible store.

use std::path::{Path, PathBuf};

use super::Objects;
use crate::host::{Environment, Files};

/// Where a shared cache is.
pub struct SharedPlace(Kind);

enum Kind {
    Directory(PathBuf, Box<dyn Files>),
    #[cfg(feature = "s3")]
    Bucket(Box<super::s3::Bucket>),
}

/// Why a place cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedPlaceError {
    /// It is no address of a kind that is known.
    #[error("`{given}` is neither `file:///DIRECTORY` nor `s3://BUCKET/PREFIX`")]
    Unknown {
        /// What was given, without a query.
        given: String,
    },
    /// The program was built without it.
    #[error("this program was built without object stores (feature `s3`)")]
    NotBuiltIn,
    /// A part of the address cannot be used.
    #[error("the shared cache cannot be used: {detail}")]
    Unusable {
        /// Which part, and why.
        detail: String,
    },
}

impl SharedPlace {
    /// Reads an address: `file:///DIRECTORY`, or `s3://BUCKET/PREFIX` with
    /// `?endpoint=URL&region=NAME` for other stores than Amazon's. Region, endpoint
    /// and keys that are not named there come from the variables that Amazon's own
    /// tools read (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`).
    ///
    /// # Errors
    /// When it is none of these, or a part of it cannot be used.
    pub fn parse(
        text: &str,
        env: &Environment,
        files: Box<dyn Files>,
    ) -> Result<Self, SharedPlaceError> {
        if let Some(path) = text.strip_prefix("file://") {
            let path = Path::new(path);
            if path.is_absolute() {
                return Ok(Self(Kind::Directory(path.to_owned(), files)));
            }
        }
        if text.starts_with("s3://") {
            #[cfg(feature = "s3")]
            return super::s3::Bucket::parse(text, env).map(|it| Self(Kind::Bucket(Box::new(it))));
            #[cfg(not(feature = "s3"))]
            {
                let _ = env;
                return Err(SharedPlaceError::NotBuiltIn);
            }
        }
        let given = text.split('?').next().unwrap_or_default();
        Err(SharedPlaceError::Unknown {
            given: given.escape_debug().take(200).collect(),
        })
    }

    /// Whether it is reached over a network.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        match &self.0 {
            Kind::Directory(..) => false,
            #[cfg(feature = "s3")]
            Kind::Bucket(_) => true,
        }
    }

    pub(super) fn open(self) -> Box<dyn Objects> {
        match self.0 {
            Kind::Directory(root, files) => Box::new(Directory { root, files }),
            #[cfg(feature = "s3")]
            Kind::Bucket(bucket) => bucket,
        }
    }
}

/// A directory, for instance of a file system that the machines share.
struct Directory {
    root: PathBuf,
    files: Box<dyn Files>,
}

impl Objects for Directory {
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        match self.files.read(&self.root.join(name), limit) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("`{}` cannot be read: {error}", self.root.display())),
        }
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), String> {
        self.files
            .write(&self.root.join(name), content)
            .map_err(|error| format!("`{}` cannot be written: {error}", self.root.display()))
    }
}
