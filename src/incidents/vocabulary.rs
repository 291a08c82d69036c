//! The closed vocabularies of an incident record, except for the components,
//! which are data.

/// Declares one closed vocabulary: an enum whose names are those of the file format.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $( #[doc = $item_doc:literal] $item:ident = $word:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( #[doc = $item_doc] $item, )+
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$( Self::$item, )+];

            /// The word used in files and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$item => $word, )+
                }
            }

            /// What the word stands for, in one line.
            #[must_use]
            pub fn docs(self) -> &'static str {
                match self {
                    $( Self::$item => $item_doc.trim_ascii(), )+
                }
            }

            /// The one with this word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|item| item.as_str() == word)
            }
        }
    };
}

vocabulary! {
    /// In which way something failed.
    Failure {
        /// Memory that is no longer used is never given back.
        MemoryLeak = "memory-leak",
        /// Something that is still reachable grows without limit.
        UnboundedGrowth = "unbounded-growth",
        /// Connections, or places in a pool of them, are lost or pile up.
        ConnectionLeak = "connection-leak",
        /// Asynchronous tasks live on after their purpose.
        TaskLeak = "task-leak",
        /// Threads live on after their purpose.
        ThreadLeak = "thread-leak",
        /// File descriptors or other handles of the system are not closed.
        HandleLeak = "handle-leak",
        /// A whole body or file is held in memory.
        WholeBodyBuffering = "whole-body-buffering",
        /// An input decides how much memory or time is used.
        OutOfMemoryOnInput = "out-of-memory-on-input",
        /// More memory than needed is held, without growing for ever.
        Fragmentation = "fragmentation",
        /// It stops making progress.
        Hang = "hang",
        /// It ends, or corrupts its memory.
        Crash = "crash",
        /// It builds or behaves differently from what its version promises.
        Breakage = "breakage",
        /// It was published to do harm.
        MaliciousRelease = "malicious-release",
        /// It is slower than before.
        Slowness = "slowness",
        /// Another way.
        Other = "other",
    }
}

vocabulary! {
    /// What kind of thing was at the root.
    Cause {
        /// A third-party release that was taken in brought the fault.
        ThirdPartyUpdate = "third-party-update",
        /// The fault was in a third-party library for long.
        ThirdPartyFault = "third-party-fault",
        /// The team's own code.
        OwnChange = "own-change",
        /// A setting.
        Configuration = "configuration",
        /// More load, or other data, than before.
        Load = "load",
        /// Machines, networks, providers.
        Infrastructure = "infrastructure",
        /// A compiler or build tool.
        Toolchain = "toolchain",
        /// Somebody's intent.
        Malice = "malice",
        /// Not found out.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// What made it end.
    Resolution {
        /// Back to the version before.
        Rollback = "rollback",
        /// Started again.
        Restart = "restart",
        /// On to a version in which it is repaired.
        Update = "update",
        /// The part was switched off.
        SwitchOff = "switch-off",
        /// The own code was repaired.
        Fix = "fix",
        /// A setting was changed.
        Configuration = "configuration",
        /// More machines, or larger ones.
        Scaling = "scaling",
        /// Another library took its place.
        Replacement = "replacement",
        /// The release was withdrawn.
        Withdrawal = "withdrawal",
        /// Nothing: it is open, or it passed.
        Nothing = "none",
    }
}

vocabulary! {
    /// How it was noticed.
    Detection {
        /// An alert or a dashboard.
        Monitoring = "monitoring",
        /// Users said so.
        Users = "users",
        /// Somebody of the team saw it.
        Team = "team",
        /// A test or a tool.
        Test = "test",
        /// Not told.
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for failure in Failure::ALL {
            assert_eq!(Failure::parse(failure.as_str()), Some(*failure));
        }
        assert_eq!(
            Cause::parse("third-party-update"),
            Some(Cause::ThirdPartyUpdate)
        );
        assert_eq!(Resolution::parse("none"), Some(Resolution::Nothing));
        assert_eq!(Detection::parse("Monitoring"), None);
    }
}
