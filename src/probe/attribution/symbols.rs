//! From the names of functions on a stack to the crate that allocated. Names come from
//! the executables, which may hold anything. Pure.

use std::collections::BTreeMap;

/// The longest name of a function that is looked at, in bytes.
const LONGEST_FRAME: usize = 4_096;
/// The longest name of a crate, in bytes.
const LONGEST_CRATE: usize = 64;
/// More crates than this are counted as unknown.
const MOST_CRATES: usize = 2_000;

/// Bytes by crate, and those of which no crate is known.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct ByCrate {
    pub(super) known: BTreeMap<String, u64>,
    pub(super) unknown: u64,
}

impl ByCrate {
    /// Adds stacks, one a line: names from the outermost to the innermost with `;`
    /// between them, a space, and bytes. Functions of crates in `through` allocate for
    /// whoever calls them.
    ///
    /// # Errors
    /// The number of a line that is none.
    pub(super) fn add(&mut self, stacks: &str, through: &[String]) -> Result<(), usize> {
        for (line, text) in (1_usize..).zip(stacks.lines()) {
            let (stack, bytes) = text.rsplit_once(' ').ok_or(line)?;
            let bytes: u64 = bytes.parse().map_err(|_| line)?;
            let place = blamed(stack, through)
                .filter(|name| self.known.len() < MOST_CRATES || self.known.contains_key(name))
                .map_or(&mut self.unknown, |name| {
                    self.known.entry(name).or_default()
                });
            *place = place.saturating_add(bytes);
        }
        Ok(())
    }
}

impl ByCrate {
    /// Adds by how much each crate holds more late than early.
    pub(super) fn add_growth(&mut self, early: &Self, late: &Self) {
        for (name, bytes) in &late.known {
            let before = early.known.get(name).copied().unwrap_or(0);
            let more = self.known.entry(name.clone()).or_default();
            *more = more.saturating_add(bytes.saturating_sub(before));
        }
        let more = late.unknown.saturating_sub(early.unknown);
        self.unknown = self.unknown.saturating_add(more);
    }
}

/// The innermost crate of a stack that does not only pass memory on.
fn blamed(stack: &str, through: &[String]) -> Option<String> {
    stack.rsplit(';').find_map(|frame| {
        crates_of(frame)
            .into_iter()
            .find(|name| !through.contains(name))
    })
}

/// The crates that a function can belong to: that of its path; for a method of a trait
/// that of the type, then that of the trait.
fn crates_of(frame: &str) -> Vec<String> {
    if frame.len() > LONGEST_FRAME {
        return Vec::new();
    }
    // What stands in brackets at the end is the file.
    let frame = frame.trim();
    let name = match frame.rsplit_once(" (") {
        Some((name, file)) if file.ends_with(')') => name,
        Some(_) | None => frame,
    };
    let name = demangled(name);
    let mut path = name.as_str();
    let mut of_trait = None;
    if let Some(inside) = path.strip_prefix('<') {
        let (own, rest) = split_at_as(inside);
        of_trait = rest;
        path = own;
    }
    [Some(path), of_trait]
        .into_iter()
        .flatten()
        .filter_map(first_segment)
        .collect()
}

/// What stands before and after ` as ` of `T as Trait>::…`, outside of inner brackets.
fn split_at_as(inside: &str) -> (&str, Option<&str>) {
    let mut depth = 0_usize;
    for (at, c) in inside.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if depth == 0 => return (inside.get(..at).unwrap_or_default(), None),
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                let (before, after) = inside.split_at(at);
                if let Some(after) = after.strip_prefix(" as ") {
                    return (before, Some(after));
                }
            }
            _ => {}
        }
    }
    (inside, None)
}

/// The first segment of a path, when it has several and that one can be a crate.
fn first_segment(path: &str) -> Option<String> {
    let mut path = path;
    while let Some(rest) = ["&", "mut ", "*const ", "*mut ", "dyn ", "<", "(", "["]
        .into_iter()
        .find_map(|start| path.strip_prefix(start))
    {
        path = rest;
    }
    let (first, _) = path.split_once("::")?;
    // `name[0123abcd]` is how a crate with its disambiguator is written.
    let first = first.split('[').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = first.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    // `_` alone is a type that is not named.
    let named = starts && first.len() <= LONGEST_CRATE && first.chars().all(plain) && first != "_";
    named.then(|| first.to_owned())
}

/// The name as it stands in the source. Heaptrack takes names of the older scheme apart
/// as if they were of C++: they are put together again first.
fn demangled(name: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return short(format_args!("{name:#}"));
    }
    let is_hash = |segment: &str| {
        let hex = segment.strip_prefix('h').filter(|hex| hex.len() == 16);
        hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let segments: Vec<&str> = name.split("::").collect();
    if !segments.last().is_some_and(|last| is_hash(last)) {
        return name.to_owned();
    }
    let mut mangled = String::from("_ZN");
    for segment in &segments {
        mangled.push_str(&segment.len().to_string());
        mangled.push_str(segment);
    }
    mangled.push('E');
    match rustc_demangle::try_demangle(&mangled) {
        Ok(name) => short(format_args!("{name:#}")),
        Err(_) => name.to_owned(),
    }
}

/// As much of a name as is looked at: a short one can stand for a very long one.
fn short(name: std::fmt::Arguments<'_>) -> String {
    struct Bounded(String);
    impl std::fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            if self.0.len() + text.len() > LONGEST_FRAME {
                return Err(std::fmt::Error);
            }
            self.0.push_str(text);
            Ok(())
        }
    }
    let mut bounded = Bounded(String::new());
    // What does not fit is left out.
    let _ = std::fmt::Write::write_fmt(&mut bounded, name);
    bounded.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through() -> Vec<String> {
        ["std", "core", "alloc", "hashbrown"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn a_crate_is_the_first_segment_also_of_methods_of_traits() {
        for (frame, crates) in [
            (
                "webp::encoder::Encoder::encode::h00d4e3f3c648592c",
                &["webp"][..],
            ),
            (
                "_$LT$ureq..response..LimitedRead$LT$R$GT$$u20$as$u20$std..io..Read$GT$::read::hd71bc1d8af108b63",
                &["ureq", "std"],
            ),
            (
                "alloc::boxed::iter::_$LT$impl$u20$core..iter..traits..collect..FromIterator$LT$I$GT$$u20$for$u20$alloc..boxed..Box$LT$$u5b$I$u5d$$GT$$GT$::from_iter::h226569e0949a8b3b",
                &["alloc"],
            ),
            ("_RNvNtCsjrHSEGnQ3l9_3std2rt19lang_start_internal", &["std"]),
            (
                "_RNvMs4_NtCslNYArtu3iFV_5alloc7raw_vecNtB5_11RawVecInner15try_allocate_inCsduwmD7cSIQq_5gimli",
                &["alloc"],
            ),
            (
                "_ZN4core3ptr43drop_in_place$LT$webp..encoder..Encoder$GT$17h00d4e3f3c648592cE",
                &["core"],
            ),
            (
                "_$LT$T$u20$as$u20$image..Foo$GT$::bar::h00d4e3f3c648592c",
                &["image"],
            ),
            (
                "_$LT$$RF$mut$u20$serde_json..de..Deserializer$LT$R$GT$$u20$as$u20$serde..Deserializer$GT$::x::h00d4e3f3c648592c",
                &["serde_json", "serde"],
            ),
            (
                "<alloc::vec::Vec<a::B, (c::D, e::F)> as my_crate::Trait>::f",
                &["alloc", "my_crate"],
            ),
            ("<dyn tower::Service<R>>::call", &["tower"]),
            ("WebPSafeMalloc", &[]),
            ("0x55cf2a66eb00", &[]),
            ("call_init (dl-init.c)", &[]),
            ("\u{1b}[31m::x", &[]),
            ("a b::c", &[]),
            ("", &[]),
        ] {
            assert_eq!(crates_of(frame), crates, "{frame}");
        }
        assert_eq!(
            crates_of(&"a::".repeat(LONGEST_FRAME)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_innermost_crate_that_does_not_pass_memory_on_is_blamed() {
        let mut found = ByCrate::default();
        let stacks = "\
main;std::rt::lang_start;app::main;webp::encode;WebPEncode;WebPSafeMalloc 300
main;app::main;ureq::pool::add;hashbrown::raw::RawTable;alloc::raw_vec::grow 40
main;app::main;alloc::vec::push 2
0x1;0x2 7
main;app::main;webp::encode 18446744073709551615
";
        assert_eq!(found.add(stacks, &through()), Ok(()));
        let known: Vec<(&str, u64)> = found.known.iter().map(|(n, b)| (n.as_str(), *b)).collect();
        assert_eq!(known, [("app", 2), ("ureq", 40), ("webp", u64::MAX)]);
        assert_eq!(found.unknown, 7);
        for (text, line) in [("a", 1), ("a 1\nb x\n", 2), ("a -1\n", 1), ("\n", 1)] {
            assert_eq!(found.add(text, &through()), Err(line), "{text}");
        }
    }

    #[test]
    fn growth_is_what_is_held_late_and_not_early() {
        let of = |stacks: &str| {
            let mut found = ByCrate::default();
            found.add(stacks, &through()).unwrap();
            found
        };
        let (early, late) = (
            of("a::f 10\nb::f 10\nx 3\n"),
            of("a::f 25\nb::f 4\nc::f 1\nx 5\n"),
        );
        let mut grown = ByCrate::default();
        grown.add_growth(&early, &late);
        grown.add_growth(&early, &late);
        assert_eq!(grown, of("a::f 30\nb::f 0\nc::f 2\nx 4\n"));
    }

    #[test]
    fn crates_without_number_are_not_kept() {
        let many: String = (0..3_000).map(|n| format!("c{n}::f 1\n")).collect();
        let mut found = ByCrate::default();
        assert_eq!(found.add(&many, &through()), Ok(()));
        assert_eq!((found.known.len(), found.unknown), (MOST_CRATES, 1_000));
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_taken(frame in "(_ZN|_R)?[0-9a-zA-Z_$.:<>\\[\\] ;\u{e9}]{0,60}") {
            for name in crates_of(&frame) {
                proptest::prop_assert!(name.len() <= LONGEST_CRATE);
            }
        }
    }
}
