//! A machine of our own, emulated by QEMU, that runs one script and is off again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The script is the first program of the machine.
const SCRIPT: &str = "init";
/// What the shell and its commands come from.
const SHELL: &str = "/bin/busybox";
/// What the kernel is told. Its disk may take as long as it likes: the clock runs ahead
/// while it is waited for.
const OPTIONS: &str = "console=ttyS0,115200 loglevel=1 panic=-1 cgroup_no_v1=all \
                       nvme_core.io_timeout=86400 nvme_core.admin_timeout=86400";
/// A machine that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(600);

/// The kernel, where `CANARY_VM_KERNEL` names it.
pub(crate) fn kernel() -> Option<PathBuf> {
    let named = std::env::var_os("CANARY_VM_KERNEL").filter(|name| !name.is_empty());
    if named.is_none() {
        println!("skipped: CANARY_VM_KERNEL names no kernel");
    }
    named.map(PathBuf::from)
}

/// Files for the machine: an archive in the format `newc` of cpio, which a kernel unpacks.
pub(crate) struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Archive {
    /// A shell, and the script that is run.
    pub(crate) fn new(script: &str) -> Self {
        let mut archive = Self {
            bytes: Vec::new(),
            folders: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        archive.add(Path::new(SCRIPT), 0o100_755, script.as_bytes());
        let shell = fs::read(SHELL).expect("the package busybox-static");
        archive.file(Path::new(SHELL), &shell);
        archive
    }

    /// A script under this path.
    pub(crate) fn script(&mut self, path: &str, text: &str) {
        self.file(Path::new(path), text.as_bytes());
    }

    /// A program under this path, without its names of functions, and what it is linked to.
    pub(crate) fn program(&mut self, from: &Path, to: &str) {
        let dir = tempfile::tempdir().unwrap();
        let small = dir.path().join("small");
        let strip = Command::new("strip")
            .arg("-o")
            .arg(&small)
            .arg(from)
            .status();
        assert!(strip.unwrap().success());
        self.file(Path::new(to), &fs::read(small).unwrap());
        let linked = Command::new("ldd").arg(from).output().unwrap();
        for word in String::from_utf8(linked.stdout).unwrap().split_whitespace() {
            if word.starts_with('/') {
                self.file(Path::new(word), &fs::read(word).unwrap());
            }
        }
    }

    fn file(&mut self, path: &Path, content: &[u8]) {
        if !self.files.insert(path.to_owned()) {
            return;
        }
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            if folder.parent().is_some() && self.folders.insert(folder.to_owned()) {
                self.add(folder, 0o040_755, b"");
            }
        }
        self.add(path, 0o100_755, content);
    }

    fn add(&mut self, path: &Path, mode: u32, content: &[u8]) {
        let name = path.strip_prefix("/").unwrap_or(path).to_str().unwrap();
        let number = self.bytes.len();
        // Number, mode, owner and group, links, time, size, four of devices, the length
        // of the name with the zero that ends it, and a sum that is not used.
        let fields = [
            number,
            mode as usize,
            0,
            0,
            1,
            0,
            content.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Runs the machine and returns what came over its serial line. It has no network,
    /// and a disk of so many bytes, all zero.
    ///
    /// Its clock counts instructions, and runs ahead while nobody has anything to do: what
    /// is seen in it does not depend on how busy this machine is.
    pub(crate) fn run(mut self, kernel: &Path, disk: u64) -> String {
        self.add(Path::new("TRAILER!!!"), 0, b"");
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("files"), &self.bytes).unwrap();
        let image = fs::File::create(path("disk")).unwrap();
        image.set_len(disk).unwrap();
        let serial = fs::File::create(path("serial")).unwrap();
        let mut machine = Command::new("qemu-system-x86_64")
            // Few features: those of newer processors are slow to emulate.
            .args(["-accel", "tcg", "-cpu", "qemu64,+rdrand", "-m", "768"])
            .args(["-icount", "shift=1,sleep=off"])
            .args(["-nodefaults", "-nographic", "-no-reboot", "-nic", "none"])
            .args(["-drive", "if=none,id=disk,format=raw,file=disk"])
            .args(["-device", "nvme,serial=disk,drive=disk"])
            .args(["-serial", "stdio", "-initrd", "files"])
            .args(["-append", OPTIONS])
            .arg("-kernel")
            .arg(kernel)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(serial.try_clone().unwrap())
            .stderr(serial)
            .spawn()
            .expect("the package qemu-system-x86");
        let start = Instant::now();
        let ended = loop {
            if let Some(ended) = machine.try_wait().unwrap() {
                break Some(ended);
            }
            if start.elapsed() > PATIENCE {
                machine.kill().unwrap();
                machine.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = String::from_utf8_lossy(&fs::read(path("serial")).unwrap()).replace('\r', "");
        assert!(ended.is_some_and(|ended| ended.success()), "{said}");
        said
    }
}
