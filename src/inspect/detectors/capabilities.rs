//! Doors to the outside that a part of the package did not use before.

use super::{Detector, How};
use crate::facts::Topic;
use crate::inspect::compare::{How as Said, Mention, View};
use crate::inspect::tally::{Counting, Sink};

/// The detector.
pub(super) static DETECTOR: Detector = Detector {
    id: "capabilities",
    what: "The first use of network, processes, files, environment, loaded code or machine instructions in the library, the macro or the build script.",
    topics: &[
        Topic::Network,
        Topic::Process,
        Topic::DynamicLoading,
        Topic::Assembly,
        Topic::Files,
        Topic::Environment,
    ],
    of_new: true,
    how: How::Item(look, Counting::First),
};

/// Paths and what they open. A path stands for all that lies below it.
const DOORS: &[(Topic, &[&str])] = &[
    (
        Topic::Network,
        &[
            "std::net::TcpStream",
            "std::net::TcpListener",
            "std::net::UdpSocket",
            "std::net::ToSocketAddrs",
            "std::os::unix::net",
            "tokio::net",
            "async_std::net",
            "async_net",
            "smol::net",
            "mio::net",
            "socket2",
            "reqwest",
            "ureq",
            "hyper::client",
            "hyper::Client",
            "hyper_util::client",
            "curl",
            "isahc",
            "attohttpc",
            "minreq",
            "surf",
            "tungstenite",
            "rustls_connector",
            "native_tls::TlsConnector",
            "libc::socket",
            "libc::connect",
            "libc::getaddrinfo",
            "rustix::net",
            "nix::sys::socket",
        ],
    ),
    (
        Topic::Process,
        &[
            "std::process::Command",
            "std::os::unix::process::CommandExt",
            "tokio::process",
            "async_process",
            "duct",
            "libc::fork",
            "libc::vfork",
            "libc::execv",
            "libc::execve",
            "libc::execvp",
            "libc::posix_spawn",
            "libc::system",
            "libc::popen",
            "nix::unistd::fork",
            "nix::unistd::execv",
            "nix::unistd::execve",
            "nix::unistd::execvp",
        ],
    ),
    (
        Topic::DynamicLoading,
        &[
            "libloading",
            "dlopen",
            "dlopen2",
            "libc::dlopen",
            "libc::dlsym",
        ],
    ),
    (
        Topic::Assembly,
        &[
            "std::arch::asm",
            "std::arch::global_asm",
            "std::arch::naked_asm",
            "libc::syscall",
            "syscalls",
        ],
    ),
    (
        Topic::Files,
        &[
            "std::fs",
            "tokio::fs",
            "async_fs",
            "fs_err",
            "libc::open",
            "libc::unlink",
            "rustix::fs",
            "tempfile",
        ],
    ),
    (
        Topic::Environment,
        &[
            "std::env::var",
            "std::env::vars",
            "std::env::var_os",
            "std::env::vars_os",
            "std::env::set_var",
            "std::env::remove_var",
            "std::env::home_dir",
        ],
    ),
];

fn look(_: &View<'_, '_>, mentions: &[Mention], sink: &mut Sink<'_, '_, '_>) {
    for mention in mentions {
        match mention.how {
            Said::Method => {}
            Said::Macro => {
                if ["asm", "global_asm", "naked_asm"].contains(&mention.last()) {
                    let what = format!("{}!", mention.last());
                    sink.hit(Topic::Assembly, &what, mention.at, mention.end);
                }
            }
            Said::Path | Said::Call => {
                for (topic, paths) in DOORS {
                    if let Some(path) = paths.iter().find(|path| opens(mention, path)) {
                        sink.hit(*topic, path, mention.at, mention.end);
                    }
                }
            }
        }
    }
}

/// Whether a mention is of this path. The name of a crate alone may be a
/// module or a value of that name.
fn opens(mention: &Mention, path: &str) -> bool {
    mention.below(path) && mention.path.contains("::")
}
