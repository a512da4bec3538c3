//! The flags that every program has.

use std::path::PathBuf;

/// Flatten this into a program's arguments: `#[command(flatten)] common: Common`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Settings and logs")]
pub struct Common {
    /// Read settings from this TOML file: every long flag is a key
    #[arg(long, value_name = "FILE.toml", global = true)]
    pub config: Option<PathBuf>,

    /// Print every setting with its value and where it comes from, then stop (JSON with --json)
    #[arg(long, global = true)]
    pub check_config: bool,

    /// Print results on standard output, and errors on standard error, as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// What is logged: `warn`, `debug`, `headwater_server=debug,info`... [default: RUST_LOG, else info]
    #[arg(long, value_name = "FILTER", global = true)]
    pub log: Option<String>,

    /// How it is logged: `auto` is text on a terminal and JSON elsewhere
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, global = true)]
    pub log_format: LogFormat,
}

/// How log events are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
