//! Which crates allocated what grew: both builds run once more under heaptrack, and
//! by how much they hold more at the end than after their start is added up by the crate
//! that asked for it. A hint beside the verdict, never part of it.

mod symbols;
mod tracker;

use symbols::ByCrate;

pub use tracker::attribute;

/// More crates than this are not told.
const MOST_TOLD: usize = 8;

/// What is known of who allocated.
#[derive(Clone, Debug, PartialEq)]
pub enum Attributed {
    /// Bytes by crate.
    Found(Attribution),
    /// Why nothing is known, and what to do.
    Gap {
        /// The reason.
        because: String,
        /// The next step.
        next: String,
    },
}

/// By how much both sides grew after their start, by the crate that allocated it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Attribution {
    /// How long each side ran, in seconds.
    pub seconds: f64,
    /// The crates that grew more in the head, the most first.
    pub crates: Vec<Share>,
    /// How much more the head grew, over all crates that grew more, in bytes.
    pub growth: u64,
    /// What no crate is known of.
    pub unknown: Share,
    /// Also something to be known about the figures, in words.
    pub note: Option<String>,
}

/// One crate.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Share {
    /// Its name, with underscores.
    pub name: String,
    /// By how many bytes it grew in the base.
    pub base: u64,
    /// By how many bytes it grew in the head.
    pub head: u64,
}

impl Share {
    /// How much more it grew in the head.
    #[must_use]
    pub fn more(&self) -> u64 {
        self.head.saturating_sub(self.base)
    }
}

impl Attribution {
    /// The share of the growth that this crate allocated, from 0 to 1.
    #[must_use]
    pub fn part(&self, share: &Share) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
        let part = share.more() as f64 / self.growth.max(1) as f64;
        part
    }

    /// The crate that allocated most of the growth, when one did.
    #[must_use]
    pub fn most(&self) -> Option<&Share> {
        self.crates.first().filter(|first| self.part(first) > 0.5)
    }
}

/// Compares both sides.
fn compared(base: &ByCrate, head: &ByCrate, seconds: f64) -> Attribution {
    let mut crates: Vec<Share> = head
        .known
        .iter()
        .map(|(name, bytes)| Share {
            name: name.clone(),
            base: base.known.get(name).copied().unwrap_or(0),
            head: *bytes,
        })
        .filter(|share| share.more() > 0)
        .collect();
    crates.sort_by(|a, b| b.more().cmp(&a.more()).then_with(|| a.name.cmp(&b.name)));
    let unknown = Share {
        name: String::new(),
        base: base.unknown,
        head: head.unknown,
    };
    let known = crates.iter().map(Share::more);
    let growth = known.fold(unknown.more(), u64::saturating_add);
    crates.truncate(MOST_TOLD);
    let note = (unknown.more() > growth / 2)
        .then(|| "most of it has no names of functions: build without `strip`".to_owned());
    Attribution {
        seconds,
        crates,
        growth,
        unknown,
        note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(known: &[(&str, u64)], unknown: u64) -> ByCrate {
        ByCrate {
            known: known.iter().map(|(n, b)| ((*n).to_owned(), *b)).collect(),
            unknown,
        }
    }

    #[test]
    fn the_crate_that_grew_most_beyond_the_base_comes_first() {
        let base = of(&[("app", 500), ("tokio", 90), ("old", 7)], 10);
        let head = of(&[("app", 520), ("tokio", 80), ("webp", 900)], 10);
        let found = compared(&base, &head, 20.0);
        let names: Vec<&str> = found.crates.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["webp", "app"]);
        assert_eq!(found.growth, 920);
        assert_eq!(found.most().map(|share| share.name.as_str()), Some("webp"));
        assert_eq!(found.note, None);
        let stripped = compared(&of(&[], 0), &of(&[("app", 1)], 100), 20.0);
        assert_eq!(stripped.most(), None);
        assert!(stripped.note.unwrap().contains("strip"));
    }
}
