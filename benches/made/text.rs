//! Lock files and index entries of any size, the same ones every time. Uses the
//! standard library alone, so that `rustc` can compile it without this project.

use std::fmt::Write as _;

/// Which of the two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The build that is known.
    Base,
    /// The build that is asked about: one package in fifty has a newer patch.
    Head,
}

/// The root package depends on so many packages.
const DIRECT: usize = 30;
/// Each package is the first that needs so many others.
const CHILDREN: usize = 5;
/// The releases of a crate are `1.0.0`, `1.0.1` and so on to `1.19.1`.
const MINORS: u64 = 20;

/// Well mixed bits of a number (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The name of a package.
pub(crate) fn name(package: usize) -> String {
    format!("a-{package:05}")
}

/// Whether a package differs between the builds.
pub(crate) fn is_changed(package: usize) -> bool {
    package % 50 == 7
}

/// The version of a package in a build.
pub(crate) fn version(package: usize, side: Side) -> String {
    let minor = mix(package as u64) % MINORS;
    let patch = u8::from(side == Side::Head && is_changed(package));
    format!("1.{minor}.{patch}")
}

/// The checksum of a release: 64 hexadecimal digits.
pub(crate) fn checksum(package: usize, version: &str) -> String {
    let seed = version
        .bytes()
        .fold(package as u64, |sum, byte| mix(sum ^ u64::from(byte)));
    (0..4).fold(String::new(), |mut text, part| {
        let _ = write!(text, "{:016x}", mix(seed.wrapping_add(part)));
        text
    })
}

/// What a package depends on, sorted: packages with higher numbers, about five.
pub(crate) fn dependencies(package: usize, packages: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..CHILDREN)
        .map(|child| DIRECT + package * CHILDREN + child)
        .filter(|child| *child < packages)
        .collect();
    let above = packages.saturating_sub(package + 1).min(400);
    for draw in 0..mix(package as u64 ^ 0x5eed) % 9 {
        if above > 0 {
            let step = mix((package as u64) << 8 | draw) as usize % above;
            all.push(package + 1 + step);
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A lock file of format 4 with one root package and so many packages of the
/// default registry.
pub(crate) fn lock(packages: usize, side: Side) -> String {
    let mut text = String::from("version = 4\n");
    for package in 0..packages {
        let version = version(package, side);
        let checksum = checksum(package, &version);
        let _ = write!(
            text,
            "\n[[package]]\nname = \"{}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n",
            name(package)
        );
        list(&mut text, &dependencies(package, packages));
    }
    text.push_str("\n[[package]]\nname = \"a-root\"\nversion = \"0.1.0\"\n");
    list(&mut text, &direct(packages));
    text
}

/// What the root package depends on.
pub(crate) fn direct(packages: usize) -> Vec<usize> {
    (0..DIRECT.min(packages)).collect()
}

fn list(text: &mut String, dependencies: &[usize]) {
    if dependencies.is_empty() {
        return;
    }
    text.push_str("dependencies = [\n");
    for dependency in dependencies {
        let _ = writeln!(text, " \"{}\",", name(*dependency));
    }
    text.push_str("]\n");
}

/// The index entry of a crate, in the form of Cargo's cache: forty releases.
pub(crate) fn cargo_entry(package: usize, packages: usize) -> Vec<u8> {
    let mut entry = vec![3, 2, 0, 0, 0];
    entry.extend_from_slice(b"Unknown\0");
    for release in 0..MINORS * 2 {
        let version = format!("1.{}.{}", release / 2, release % 2);
        let line = line(package, packages, &version, release);
        entry.extend_from_slice(version.as_bytes());
        entry.push(0);
        entry.extend_from_slice(line.as_bytes());
        entry.push(0);
    }
    entry
}

fn line(package: usize, packages: usize, version: &str, release: u64) -> String {
    let mut listed = String::new();
    for dependency in dependencies(package, packages) {
        let comma = if listed.is_empty() { "" } else { "," };
        let _ = write!(
            listed,
            "{comma}{{\"name\":\"{}\",\"req\":\"^1\",\"features\":[\"one\"],\"optional\":false,\"default_features\":true,\"target\":null,\"kind\":\"normal\"}}",
            name(dependency)
        );
    }
    format!(
        "{{\"name\":\"{}\",\"vers\":\"{version}\",\"deps\":[{listed}],\"cksum\":\"{}\",\"features\":{{\"default\":[\"one\"],\"one\":[]}},\"yanked\":false,\"pubtime\":\"{}-{:02}-15T12:00:00Z\"}}",
        name(package),
        checksum(package, version),
        2018 + release / 6,
        release % 6 * 2 + 1
    )
}
