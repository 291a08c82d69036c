//! What git runs for a repository: hooks, filters, helpers of its configuration.

use super::stage::{Effect, Ran, Stage};
use super::{ANSWERS, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "a hook in the revision, core.hooksPath relative",
        fires: &[Effect::Runs],
        make: hook,
        plain: |stage| stage.git(&["checkout", "-q", "evil"]),
        ours: ANSWERS,
    },
    Case {
        name: "a smudge filter",
        fires: &[Effect::Runs],
        make: filter,
        plain: |stage| stage.git(&["archive", "--format=tar", "-o", "/dev/null", "HEAD"]),
        ours: ANSWERS,
    },
    Case {
        name: "core.fsmonitor",
        fires: &[Effect::Runs],
        make: fsmonitor,
        plain: |stage| stage.git(&["status"]),
        ours: ANSWERS,
    },
    Case {
        name: "core.sshCommand of a partial clone",
        fires: &[Effect::Runs],
        make: partial,
        plain: |stage| stage.git(&["cat-file", "-p", "HEAD:gone"]),
        ours: ANSWERS,
    },
    Case {
        name: "gpg.program with log.showSignature",
        fires: &[Effect::Runs],
        make: signature,
        plain: |stage| stage.git(&["log", "-1"]),
        ours: ANSWERS,
    },
    Case {
        name: "a textconv of the attributes",
        fires: &[Effect::Runs],
        make: textconv,
        plain: |stage| stage.git(&["show", "HEAD"]),
        ours: ANSWERS,
    },
    Case {
        name: "a submodule's URL",
        fires: &[Effect::Connects],
        make: submodule,
        plain: |stage| stage.git(&["submodule", "update", "--init"]),
        ours: ANSWERS,
    },
    Case {
        name: "a submodule's URL that is a command",
        fires: &[],
        make: submodule_command,
        plain: |stage| stage.git(&["submodule", "update", "--init"]),
        ours: ANSWERS,
    },
];

fn set(stage: &Stage, key: &str, value: &str) {
    let ran = stage.git(&["config", key, value]);
    assert!(ran.fine, "{}", ran.err);
}

fn evil(stage: &Stage) -> String {
    stage.evil.display().to_string()
}

fn hook(stage: &Stage) {
    stage.commit("repo");
    set(stage, "core.hooksPath", "hooks");
    let fine = |ran: Ran| assert!(ran.fine, "{}", ran.err);
    fine(stage.git(&["branch", "good"]));
    fine(stage.git(&[
        "-c",
        "core.hooksPath=/dev/null",
        "checkout",
        "-q",
        "-b",
        "evil",
    ]));
    stage.put(
        "repo/hooks/post-checkout",
        &format!("#!/bin/sh\nexec '{}' hook\n", evil(stage)),
    );
    stage.executable("repo/hooks/post-checkout");
    fine(stage.git(&["add", "-A"]));
    let author = ["-c", "user.name=n", "-c", "user.email=e@example.org"];
    fine(
        stage.git(
            &[
                &author[..],
                &["-c", "core.hooksPath=/dev/null", "commit", "-qm", "y"],
            ]
            .concat(),
        ),
    );
    fine(stage.git(&["-c", "core.hooksPath=/dev/null", "checkout", "-q", "good"]));
}

fn filter(stage: &Stage) {
    stage.put("repo/.gitattributes", "* filter=evil\n");
    stage.commit("repo");
    set(
        stage,
        "filter.evil.smudge",
        &format!("{} smudge", evil(stage)),
    );
}

fn fsmonitor(stage: &Stage) {
    stage.commit("repo");
    set(stage, "core.fsmonitor", &evil(stage));
}

fn partial(stage: &Stage) {
    stage.put("repo/gone", "gone\n");
    stage.commit("repo");
    let oid = stage.git(&["rev-parse", "HEAD:gone"]).out;
    let (start, rest) = oid.trim().split_at(2);
    std::fs::remove_file(stage.repo.join(format!(".git/objects/{start}/{rest}"))).unwrap();
    std::fs::remove_file(stage.repo.join("gone")).unwrap();
    for (key, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.url", "ssh://127.0.0.1/x"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
    ] {
        set(stage, key, value);
    }
    set(stage, "core.sshCommand", &evil(stage));
}

fn signature(stage: &Stage) {
    stage.commit("repo");
    let raw = stage.git(&["cat-file", "commit", "HEAD"]).out;
    let (head, message) = raw.split_once("\n\n").unwrap();
    let signed = format!(
        "{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n{message}"
    );
    stage.put("signed", &signed);
    let file = stage.root.join("signed");
    let oid = stage
        .git(&["hash-object", "-t", "commit", "-w", file.to_str().unwrap()])
        .out;
    let moved = stage.git(&["update-ref", "HEAD", oid.trim()]);
    assert!(moved.fine, "{}", moved.err);
    set(stage, "log.showSignature", "true");
    set(stage, "gpg.program", &evil(stage));
}

fn textconv(stage: &Stage) {
    stage.put("repo/.gitattributes", "*.lock diff=evil\n");
    stage.commit("repo");
    set(stage, "diff.evil.textconv", &evil(stage));
}

fn submodule_at(stage: &Stage, url: &str) {
    let oid = stage.commit("repo");
    stage.put(
        "repo/.gitmodules",
        &format!("[submodule \"sub\"]\n\tpath = sub\n\turl = {url}\n\tupdate = checkout\n"),
    );
    let cache = format!("160000,{oid},sub");
    for args in [
        &["add", ".gitmodules"] as &[&str],
        &["update-index", "--add", "--cacheinfo", &cache],
        &[
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@example.org",
            "commit",
            "-qm",
            "sub",
        ],
    ] {
        let ran = stage.git(args);
        assert!(ran.fine, "{}", ran.err);
    }
}

fn submodule(stage: &Stage) {
    submodule_at(stage, &format!("{}/sub.git", stage.url));
}

fn submodule_command(stage: &Stage) {
    submodule_at(stage, &format!("ext::{}", evil(stage)));
}
