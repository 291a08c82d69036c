//! What a finding in the source can be about.

/// What a finding in the source is about. Each topic belongs to one detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Shapes in the archive that have no place in a package: links, devices, bombs.
    Archive,
    /// A compiled program or library, told by its content.
    Executable,
    /// Data that cannot be read: packed or encrypted files, long encoded text in code.
    Opaque,
    /// The build script as such.
    BuildScript,
    /// Opens connections.
    Network,
    /// Starts programs.
    Process,
    /// Loads code at run time.
    DynamicLoading,
    /// Machine instructions and raw system calls.
    Assembly,
    /// Calls functions of other languages.
    Foreign,
    /// Reads or writes files.
    Files,
    /// Reads or sets environment variables.
    Environment,
    /// Code in C and the like that comes along.
    NativeSources,
    /// Code outside of the memory rules of the language.
    Unsafe,
    /// Memory that is given away on purpose.
    Leak,
    /// What happens when a value goes.
    Drop,
    /// Reference counts and allocations by hand.
    ManualMemory,
    /// Calls that let something go: clear, close, remove.
    Release,
    /// State that lives as long as the process or the thread.
    GlobalState,
    /// Channels without a bound.
    UnboundedChannel,
    /// Tasks and threads that nobody waits for.
    Task,
    /// Handles taken out of what owns them.
    Handle,
    /// Whole bodies or files read into memory.
    WholeBody,
    /// Bounds: raised, lowered, removed.
    Limit,
    /// Public items.
    Api,
    /// Licence, edition, oldest compiler, repository.
    Metadata,
    /// The commit that the archive says it was made from.
    Commit,
    /// Words in upstream's changelog.
    Announced,
}

impl Topic {
    /// All topics, in the order of their declaration.
    pub const ALL: [Self; 27] = [
        Self::Archive,
        Self::Executable,
        Self::Opaque,
        Self::BuildScript,
        Self::Network,
        Self::Process,
        Self::DynamicLoading,
        Self::Assembly,
        Self::Foreign,
        Self::Files,
        Self::Environment,
        Self::NativeSources,
        Self::Unsafe,
        Self::Leak,
        Self::Drop,
        Self::ManualMemory,
        Self::Release,
        Self::GlobalState,
        Self::UnboundedChannel,
        Self::Task,
        Self::Handle,
        Self::WholeBody,
        Self::Limit,
        Self::Api,
        Self::Metadata,
        Self::Commit,
        Self::Announced,
    ];

    /// The topics about memory and other resources that may run out.
    pub const RESOURCES: [Self; 10] = [
        Self::Leak,
        Self::Drop,
        Self::ManualMemory,
        Self::Release,
        Self::GlobalState,
        Self::UnboundedChannel,
        Self::Task,
        Self::Handle,
        Self::WholeBody,
        Self::Limit,
    ];

    /// The name used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Executable => "executable",
            Self::Opaque => "opaque",
            Self::BuildScript => "build-script",
            Self::Network => "network",
            Self::Process => "process",
            Self::DynamicLoading => "dynamic-loading",
            Self::Assembly => "assembly",
            Self::Foreign => "foreign",
            Self::Files => "files",
            Self::Environment => "environment",
            Self::NativeSources => "native-sources",
            Self::Unsafe => "unsafe",
            Self::Leak => "leak",
            Self::Drop => "drop",
            Self::ManualMemory => "manual-memory",
            Self::Release => "release",
            Self::GlobalState => "global-state",
            Self::UnboundedChannel => "unbounded-channel",
            Self::Task => "task",
            Self::Handle => "handle",
            Self::WholeBody => "whole-body",
            Self::Limit => "limit",
            Self::Api => "api",
            Self::Metadata => "metadata",
            Self::Commit => "commit",
            Self::Announced => "announced",
        }
    }
}
