//! What is written about the program is what it does: `README.md` and
//! `docs/cli.md` are compared with the built program.
//!
//! `CANARY_UPDATE=1 cargo test --test it docs` writes both anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::cli::program::{Scene, root};
use crate::support::picture::svg;

/// The time at which the demo is judged here. Its data is of the same day.
const JUDGED: [&str; 2] = ["--as-of", "2026-11-21T12:00:00Z"];
/// How the README starts the program.
const BY_CARGO: &str = "cargo run --release -- ";
/// Stands for lines that are left out.
const CUT: &str = "…";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Holds that a file has this content, or writes it where that is wanted.
#[track_caller]
fn is_kept(path: &str, wanted: &str) {
    let path = root().join(path);
    if std::env::var_os("CANARY_UPDATE").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(
            found,
            wanted,
            "{}:{}: run `CANARY_UPDATE=1 cargo test --test it docs` and look at the difference",
            path.display(),
            number + 1
        );
    }
    assert!(found == wanted, "{} has another length", path.display());
}

#[test]
fn the_reference_of_the_command_line_is_what_the_program_says() {
    let scene = Scene::new();
    let mut page = String::from(
        "# The command line\n\nThis page is written by a test from what the program says of itself.\n",
    );
    page += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n";
    for (code, meaning) in exit_codes() {
        page += &format_args!("| {code} | {meaning} |\n").to_string();
    }
    page +=
        "\nOf several that apply the verdict is the highest of block, incomplete, canary, pass.\n";
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let help = scene.run(&args).ends(0).to_owned();
        let title = ["cargo-canary"]
            .into_iter()
            .chain(args[..args.len() - 1].iter().copied())
            .collect::<Vec<_>>()
            .join(" ");
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page += &format_args!("\n## `{title}`\n\n```text\n{}\n```\n", help.join("\n")).to_string();
        for name in subcommands(&help).into_iter().rev() {
            waiting.push([&command[..], &[name]].concat());
        }
    }
    assert!(page.contains("## `cargo-canary policy check`"));
    is_kept("docs/cli.md", &page);
}

/// The names under `Commands:` in a help text.
fn subcommands(help: &[&str]) -> Vec<String> {
    help.iter()
        .skip_while(|line| **line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The codes of `exit.rs`, each with the sentence above it.
fn exit_codes() -> Vec<(u8, String)> {
    let text = read("src/bin/cargo-canary/exit.rs");
    let mut found = Vec::new();
    let mut said = String::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("/// ") {
            said = [said.trim(), comment].join(" ").trim().to_owned();
        } else {
            if let Some(constant) = line.strip_prefix("pub(crate) const ") {
                let (_, value) = constant.split_once(" = ").unwrap();
                found.push((value.trim_end_matches(';').parse().unwrap(), said.clone()));
            }
            said.clear();
        }
    }
    assert!(found.len() >= 6, "{found:?}");
    found
}

#[test]
fn the_readme_names_each_exit_code() {
    let readme = read("README.md");
    let named: Vec<u8> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok())
        .collect();
    let codes: Vec<u8> = exit_codes().into_iter().map(|(code, _)| code).collect();
    assert_eq!(named, codes);
}

/// A block between fences.
struct Block<'a> {
    language: &'a str,
    lines: Vec<&'a str>,
}

/// Splits a page into blocks and the lines between them.
fn blocks(page: &str) -> Vec<Result<&str, Block<'_>>> {
    let mut parts = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language,
                    lines: Vec::new(),
                });
            }
            (Some(_), Some(_)) => parts.extend(open.take().map(Err)),
            (Some(block), None) => block.lines.push(line),
            (None, None) => parts.push(Ok(line)),
        }
    }
    assert!(open.is_none(), "a block has no end");
    parts
}

#[test]
fn the_output_in_the_readme_is_what_its_commands_print() {
    let commands = output_is_kept("README.md");
    assert!(commands >= 2, "the README runs too little");
}

#[test]
fn the_output_on_the_page_of_the_way_back_is_what_its_commands_print() {
    assert_eq!(output_is_kept("docs/rollback.md"), 2);
}

/// Holds that each command of a page prints what stands below it, and says how many there
/// are.
fn output_is_kept(path: &str) -> usize {
    let page = read(path);
    let mut written = String::new();
    let mut commands = 0;
    for part in blocks(&page) {
        match part {
            Ok(line) => written += &format_args!("{line}\n").to_string(),
            Err(block) => {
                let lines = if block.language == "console" {
                    commands += 1;
                    run_again(&block.lines)
                } else {
                    block.lines.iter().map(|line| (*line).to_owned()).collect()
                };
                written +=
                    &format_args!("```{}\n{}\n```\n", block.language, lines.join("\n")).to_string();
            }
        }
    }
    is_kept(path, &written);
    commands
}

/// A block of a command and its output, with the output as it is now. Where the
/// block leaves lines out, as many stand before and after them as before.
fn run_again(block: &[&str]) -> Vec<String> {
    let (command, shown) = block.split_first().unwrap();
    let command = command.strip_prefix("$ ").unwrap();
    let arguments = command
        .strip_prefix(BY_CARGO)
        .or_else(|| command.strip_prefix("cargo-canary "))
        .unwrap_or_else(|| panic!("`{command}` does not start the program"));
    let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
    if arguments.contains(&"--base") && !arguments.contains(&"--as-of") {
        arguments.extend(JUDGED);
    }
    let scene = Scene::new();
    // The ways back and forward are checked by the cargo that runs this test.
    let cargo = std::env::var_os("CARGO").unwrap_or_default();
    let mut program = scene.command(&arguments);
    program.current_dir(root()).env("CARGO_CANARY_CARGO", cargo);
    let ran = scene.finish(&mut program);
    assert_eq!(ran.stderr, "", "{command}");
    let printed: Vec<&str> = ran.stdout.lines().collect();
    let cut = shown.iter().position(|line| *line == CUT);
    let lines = match cut {
        None => printed,
        Some(before) => {
            let after = shown.len() - before - 1;
            assert!(before + after < printed.len(), "{command}: {}", ran.stdout);
            let (head, tail) = (&printed[..before], &printed[printed.len() - after..]);
            [head, &[CUT], tail].concat()
        }
    };
    [format!("$ {command}")]
        .into_iter()
        .chain(lines.into_iter().map(str::to_owned))
        .collect()
}

#[test]
fn the_pictures_are_what_the_program_prints() {
    let command = "cargo-canary check --base fixtures/demo/before --head fixtures/demo/after";
    let mut arguments: Vec<&str> = command.split(' ').skip(1).collect();
    arguments.extend([
        "--cache",
        "fixtures/demo/data",
        "--locked-data",
        "--color",
        "always",
    ]);
    arguments.extend(JUDGED);
    let scene = Scene::new();
    let ran = scene.finish(scene.command(&arguments).current_dir(root()));
    assert_eq!(ran.stderr, "");
    let picture = svg(command, &ran.stdout, 36);
    assert!(picture.len() < 20_000);
    is_kept("docs/pictures/check.svg", &picture);
}

#[test]
fn every_page_is_in_the_guide_and_every_link_leads_somewhere() {
    let guide = read("docs/README.md");
    assert!(read("README.md").contains("](docs/README.md)"));
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".md") {
            continue;
        }
        assert!(
            name == "README.md" || guide.contains(&format!("]({name}")),
            "{name}"
        );
        let page = read(&format!("docs/{name}"));
        for (at, _) in page.match_indices("](") {
            let target = page[at + 2..].split(')').next().unwrap();
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            if target.contains("://") {
                continue;
            }
            let file = if file.is_empty() { name.as_str() } else { file };
            assert!(
                root().join("docs").join(file).exists(),
                "{target} in {name}"
            );
            let heading = heading.replace('-', " ");
            let found = fs::read(root().join("docs").join(file)).unwrap();
            let found = String::from_utf8_lossy(&found)
                .to_lowercase()
                .replace([',', '`'], "");
            assert!(
                heading.is_empty() || found.contains(&format!("# {heading}")),
                "{target} in {name}"
            );
        }
    }
}

#[test]
fn the_policies_in_the_readme_are_valid() {
    let readme = read("README.md");
    let scene = Scene::new();
    let mut checked = 0;
    for block in blocks(&readme).into_iter().filter_map(Result::err) {
        if block.language == "toml" {
            scene.file("canary.toml", &block.lines.join("\n"));
            let ran = scene.run(&["policy", "check"]);
            assert!(ran.ends(0).contains("is valid"));
            checked += 1;
        }
    }
    assert!(checked > 0);
}

#[test]
fn the_readme_names_only_options_and_files_that_are_there() {
    let (readme, reference) = (read("README.md"), read("docs/cli.md"));
    let options: BTreeSet<&str> = reference
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| word.starts_with("--"))
        .collect();
    for line in readme.lines().filter(|line| line.contains("cargo-canary ")) {
        let (_, arguments) = line.split_once("cargo-canary ").unwrap();
        for word in arguments.split([' ', '`', '"', ',']) {
            if word.starts_with("--") && word.len() > 2 {
                let known = options.contains(word);
                assert!(known || line.contains("cargo install"), "{word} in: {line}");
            }
        }
    }
    for (at, _) in readme.match_indices("](") {
        let target = readme[at + 2..].split(')').next().unwrap();
        if !target.contains("://") && !target.starts_with('#') {
            assert!(Path::new(root()).join(target).exists(), "{target}");
        }
    }
}
