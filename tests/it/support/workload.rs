//! Small programs that hold memory, leak it, or misbehave, compiled once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What the program does is its first argument.
const SOURCE: &str = r#"
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn touched(bytes: usize) -> Vec<u8> { vec![7; bytes] }

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let seconds: f64 = args.next().and_then(|s| s.parse().ok()).unwrap_or(60.0);
    let rate: usize = args.next().and_then(|s| s.parse().ok()).unwrap_or(4 << 20);
    let file = args.next();
    let named = std::env::current_exe().unwrap();
    let name = named.file_name().unwrap().to_string_lossy().into_owned();
    // The same program under two names: the name says which build it plays.
    let leaky = name.contains("leaky");
    let start = Instant::now();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut files = Vec::new();
    let open = |write| std::fs::OpenOptions::new().read(true).append(write).create(write).open(file.as_ref().unwrap()).unwrap();
    if leaky && what == "writes" { files.push(open(true)); }
    if leaky && what == "reads" { files.push(open(false)); }
    if what == "level" { kept.push(touched(if leaky { 64 << 20 } else { 4 << 20 })); }
    if what == "orphan" {
        std::process::Command::new("setsid").arg("sleep").arg("300").spawn().unwrap();
    }
    if what == "flood" { loop { std::io::stdout().write_all(&[b'x'; 65536]).ok(); } }
    if what == "forks" && leaky {
        // Two children, each of which starts two, and so on; all of them stay. The
        // third argument is how deep that goes, so that no machine suffers from it.
        let me = std::env::current_exe().unwrap();
        for _ in 0..if rate > 0 { 2 } else { 0 } {
            let deeper = (rate - 1).to_string();
            std::process::Command::new(&me).args(["forks", "30", &deeper]).spawn().ok();
        }
    }
    if what == "load" { eprintln!("no such server"); std::process::exit(3); }
    if what == "die" && leaky { eprintln!("out of luck \u{1b}[31m"); std::process::exit(7); }
    if what == "work" {
        // A piece of work, and a piece that it leaves behind: some 500 in a second.
        let mut left = Vec::new();
        while start.elapsed().as_secs_f64() < seconds {
            let mut sum = 0_u64;
            for n in 0..2_000_000_u64 { sum = std::hint::black_box(sum ^ n); }
            if leaky { left.push(touched(rate / 500)); }
            std::thread::sleep(Duration::from_millis(1));
        }
        println!("{}", left.len());
        return;
    }
    let mut done = 0.0;
    while start.elapsed().as_secs_f64() < seconds {
        std::thread::sleep(Duration::from_millis(20));
        let now = start.elapsed().as_secs_f64();
        if what == "hang" {
            // Both work; one of them waits for ever after a second.
            while leaky && now > 1.0 { std::thread::park(); }
            let mut sum = 0_u64;
            for n in 0..4_000_000_u64 { sum = std::hint::black_box(sum ^ n); }
        }
        if !leaky { continue; }
        match what.as_str() {
            "memory" => kept.push(touched(((now - done) * rate as f64) as usize)),
            // A file that grows, and one that is read on and on; neither is kept in mind.
            "writes" => files[0].write_all(&touched(((now - done) * rate as f64) as usize)).unwrap(),
            "reads" => { files[0].read(&mut touched(((now - done) * rate as f64) as usize)).unwrap(); }
            "eat" => kept.push(touched(16 << 20)),
            "handles" => files.push(std::fs::File::open("/proc/self/stat").unwrap()),
            "threads" => { std::thread::spawn(|| loop { std::thread::park(); }); }
            // Address space that is never touched.
            "reserve" => kept.push(Vec::with_capacity(1 << 20)),
            "exhaust" => {
                // A capacity that doubles each time, until there is no more.
                let bytes = 1usize << (16 + (now * 12.0) as u32).min(62);
                kept.clear();
                kept.push(Vec::with_capacity(bytes));
            }
            "once" => if now > seconds / 2.0 && kept.is_empty() { kept.push(touched(32 << 20)); },
            _ => {}
        }
        done = now;
    }
    println!("{} {}", kept.len(), files.len());
}
"#;

/// Where the programs are: `clean` and `leaky`, the same code.
pub(crate) fn programs() -> (&'static Path, &'static Path) {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf, PathBuf)> = OnceLock::new();
    let (_, clean, leaky) = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("workload.rs");
        std::fs::write(&source, SOURCE).unwrap();
        let clean = dir.path().join("clean");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let status = Command::new(rustc)
            .args(["--edition", "2021", "-O", "-o"])
            .arg(&clean)
            .arg(&source)
            .status()
            .unwrap();
        assert!(status.success());
        let leaky = dir.path().join("leaky");
        std::fs::copy(&clean, &leaky).unwrap();
        (dir, clean, leaky)
    });
    (clean, leaky)
}

/// The program itself.
pub(crate) fn canary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cargo-canary"))
}

/// The processes whose command line or environment holds this mark.
pub(crate) fn marked(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let holds = |file: &str| {
            std::fs::read(entry.path().join(file))
                .is_ok_and(|content| String::from_utf8_lossy(&content).contains(mark))
        };
        if holds("environ") || holds("cmdline") {
            found.push(pid);
        }
    }
    found
}

/// Sends a signal after this time, and waits for the program to end. It may have ended
/// by itself before.
pub(crate) fn ended_by(signal: &str, mut program: Child, after: Duration) {
    std::thread::sleep(after);
    if program.try_wait().unwrap().is_none() {
        let status = Command::new("kill")
            .args(["-s", signal, &program.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }
    program.wait().unwrap();
}

/// Waits until no process holds this mark.
pub(crate) fn wait_until_gone(mark: &str) {
    let start = Instant::now();
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "still there: {left:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
