//! How a program ends: its exit code, and an error in one clean form.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; for a server: drained |
//! | 1 | failed |
//! | 2 | the arguments or the configuration are wrong |
//! | 130, 143 | a tool was interrupted by SIGINT, SIGTERM |
//! | 141 | who read its results hung up, as `head` does: nothing is said |
//!
//! Errors are printed on standard error as `error: what` and a `caused by:` line for each cause. With `--json` they also
//! go to standard output as `{"error": "what", "causes": ["...", ...]}`, so that a script that reads results finds either a result or
//! the reason why there is none.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::json;

use crate::output::{is_hung_up, print_json};
use crate::settings::redact;
use crate::signals::Signal;

/// Exit code for failures.
pub const FAILURE: u8 = 1;
/// Exit code for mistakes in arguments or configuration.
pub const USAGE: u8 = 2;
/// Exit code where nobody reads the results: that of a program which SIGPIPE ends.
pub const HUNG_UP: u8 = 141;

/// A mistake in the arguments that clap could not see, such as two that exclude each other: ends with [`USAGE`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Prints the error, if there is one, and gives the process's exit code.
pub fn report(result: anyhow::Result<()>, json: bool) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = code(&error);
            if code != HUNG_UP {
                print_error(&error, json);
            }
            ExitCode::from(code)
        }
    }
}

/// The exit code for this error: by the first cause in its chain that has one of its own, else [`FAILURE`].
pub fn code(error: &anyhow::Error) -> u8 {
    let own = |cause: &(dyn std::error::Error + 'static)| {
        let signal = cause.downcast_ref::<Signal>().map(|signal| signal.exit_code());
        let usage = || cause.is::<UsageError>().then_some(USAGE);
        signal.or_else(usage).or_else(|| is_hung_up(cause).then_some(HUNG_UP))
    };
    error.chain().find_map(own).unwrap_or(FAILURE)
}

pub(crate) fn print_error(error: &anyhow::Error, json: bool) {
    // Nobody is left to tell where standard error or output is closed: the exit code still says it.
    let _ = writeln!(io::stderr().lock(), "{}", Chain(error));
    if json {
        let _ = print_json(&as_json(error));
    }
}

/// Prints a result for people and gives the exit code.
pub(crate) fn printed(result: &impl fmt::Display) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{result}").and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILURE),
    }
}

fn as_json(error: &anyhow::Error) -> serde_json::Value {
    let mut words = causes(error);
    let first = words.remove(0);
    json!({ "error": first, "causes": words })
}

/// Each cause's own words, outermost first: a cause that only repeats the one above is left out.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = redact(&cause.to_string());
        if !words.last().is_some_and(|above| above.contains(&text)) {
            words.push(text);
        }
    }
    words
}

struct Chain<'a>(&'a anyhow::Error);

// === impl Chain ===

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, words) in causes(self.0).iter().enumerate() {
            let label = if depth == 0 { "error" } else { "\n  caused by" };
            write!(f, "{label}: {words}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;
    use crate::output::HungUp;

    #[test]
    fn an_error_is_its_words_and_its_causes() {
        let error = anyhow!("connection refused").context("http://u:p@host: connection refused").context("no features");
        assert_eq!(Chain(&error).to_string(), "error: no features\n  caused by: http://***@host: connection refused");
        assert_eq!(
            as_json(&error),
            json!({ "error": "no features", "causes": ["http://***@host: connection refused"] })
        );
    }

    #[test]
    fn the_exit_code_says_what_kind_of_end_it_was() {
        assert_eq!(code(&anyhow!("broken")), FAILURE);
        assert_eq!(code(&anyhow::Error::new(Signal::Interrupt).context("extract")), 130);
        assert_eq!(code(&anyhow::Error::new(Signal::Terminate)), 143);
        let usage: anyhow::Result<()> = Err(UsageError("--a excludes --b".to_owned())).context("plan");
        assert_eq!(code(&usage.unwrap_err()), USAGE);
        let pipe = |inner: Box<dyn std::error::Error + Send + Sync>| io::Error::new(io::ErrorKind::BrokenPipe, inner);
        assert_eq!(code(&anyhow::Error::new(pipe(HungUp.into())).context("export")), HUNG_UP);
        assert_eq!(code(&anyhow::Error::new(pipe("a server's".into())).context("fetch")), FAILURE);
    }
}
