//! Writes a made-up pair of lock files: `write PACKAGES DIRECTORY`. Compiled by
//! `rustc` alone, for measurements of whole processes.

mod text;

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let packages = arguments.next().ok_or("how many packages?")?.parse()?;
    let directory = arguments.next().ok_or("in which directory?")?;
    let cargo = arguments.next();
    fs::create_dir_all(&directory)?;
    for (file, side) in [("before.lock", text::Side::Base), ("after.lock", text::Side::Head)] {
        fs::write(Path::new(&directory).join(file), text::lock(packages, side))?;
    }
    // With a third argument, index entries of what changed, as Cargo caches them.
    if let Some(home) = cargo {
        let cache = Path::new(&home).join("registry/index/index.crates.io-1949cf8c6b5b557f/.cache");
        for package in (0..packages).filter(|package| text::is_changed(*package)) {
            let name = text::name(package);
            let folder = cache.join(&name[0..2]).join(&name[2..4]);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(&name), text::cargo_entry(package, packages))?;
        }
    }
    Ok(())
}
