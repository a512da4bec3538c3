//! The settings of `storage-server index`.

use std::num::NonZeroUsize;

use clap::Args;
use headwater_cli::FailureArgs;
use headwater_cli::values::threads;

use super::{CacheDirArgs, DatasetArgs, LimitArgs, StateArgs};

/// Which photos are re-written, where they are kept, and within which limits.
#[derive(Args, Clone, Debug)]
pub struct IndexArgs {
    #[command(flatten)]
    pub(crate) dataset: DatasetArgs,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) cache: CacheDirArgs,
    /// Photos that are re-written at a time; the number of cores if not given
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Limits")]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) failures: FailureArgs,
}
