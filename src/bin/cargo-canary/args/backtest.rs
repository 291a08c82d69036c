//! The command that holds the model against history.

use std::path::PathBuf;

use clap::Args;

use super::audit::DataArgs;
use super::output::OutputArgs;

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// The folder of the corpus; `docs/backtest.md` describes its files
    pub(crate) corpus: PathBuf,
    /// A policy file, or `builtin:default` or `builtin:strict`
    #[arg(long, value_name = "FILE", default_value = "builtin:default")]
    pub(crate) policy: String,
    /// Only repositories with this in their name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: Vec<String>,
    /// Only one of so many events, evenly
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) one_of: usize,
    /// Keep what is done in this file, and go on from it after a stop
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Draw how much is found at how many alerts, as an SVG picture
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Fit the weights of the model, cross-validate them, and write them to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) fit: Option<PathBuf>,
    /// Tell what sources and incidents add, on a sample with at most N archives
    ///
    /// Draws upgrades that went wrong and ordinary ones of the same years, has
    /// their archives from where cargo has them, and replays only these.
    #[arg(long, value_name = "N", conflicts_with_all = ["fit", "plot", "journal"])]
    pub(crate) archives: Option<usize>,
    /// The same number draws the same sample
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1,
        requires = "archives"
    )]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
