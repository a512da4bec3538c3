//! The settings of `storage-server token`.

use clap::Args;
use headwater_access::Role;
use headwater_types::DatasetName;

/// Make a token, and the line by which servers know it
///
/// The token is shown this once: give it to whoever is to have it, as the first line of a --token-file. The line goes
/// into the file of --tokens; it holds a hash, and not the token.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TokenArgs {
    /// Whose token it is, for the audit: letters, digits, dots, dashes and underscores
    #[arg(long, value_name = "NAME", value_parser = holder, help_heading = "Access")]
    pub(crate) holder: String,
    /// What it is good for: read; write, which also ingests, pushes, labels and trains; or admin, which also lists anew
    #[arg(long, value_name = "read|write|admin", help_heading = "Access")]
    pub(crate) role: Role,
    /// The datasets that it is good for [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Access")]
    pub(crate) datasets: Vec<DatasetName>,
}

const EXAMPLES: &str = "\
Examples:
  storage-server token --holder trainer --role read --datasets photos
  storage-server token --holder ops --role admin --json";

/// Most characters of a holder's name.
const MOST: usize = 64;

fn holder(text: &str) -> Result<String, String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    match (1..=MOST).contains(&text.len()) && text.chars().all(is_good) {
        true => Ok(text.to_owned()),
        false => Err(format!("give 1 to {MOST} letters, digits, dots, dashes and underscores")),
    }
}
