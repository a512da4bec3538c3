//! How a program ends: its exit code, and an error in one clean form.
//!
//! The codes and their meanings are [`CODES`].
//!
//! Errors are printed on standard error, once: as `error: what` and a `caused by:` line for each cause, or with
//! `--json` as one line `{"error": "what", "causes": ["...", ...], "exit_code": N}`. Standard output carries results,
//! and nothing else.

use std::fmt;
use std::process::ExitCode;

use serde_json::json;

use crate::failures::TooManyFailures;
use crate::output::is_hung_up;
use crate::outputs::OutputError;
use crate::settings::redact;
use crate::signals::Signal;
use crate::stderr;

/// Exit code for failures.
pub const FAILURE: u8 = 1;
/// Exit code for mistakes in arguments or configuration.
pub const USAGE: u8 = 2;
/// Exit code where more samples failed than may.
pub const TOO_MANY_FAILURES: u8 = 3;
/// Exit code where nobody reads the results: that of a program which SIGPIPE ends.
pub const HUNG_UP: u8 = 141;

/// Every code, and what it means: for documentation.
pub const CODES: [(u8, &str); 8] = [
    (0, "done; for a server: drained"),
    (FAILURE, "failed"),
    (USAGE, "the arguments or the configuration are wrong"),
    (TOO_MANY_FAILURES, "more samples failed than `--max-failures` allows; what was made of the others is kept"),
    (Signal::Interrupt.exit_code(), "a tool was interrupted by SIGINT; what it had is kept, where that is whole"),
    (Signal::Terminate.exit_code(), "the same by SIGTERM"),
    (Signal::Hangup.exit_code(), "the same by SIGHUP, as where its terminal was closed"),
    (HUNG_UP, "who read its results hung up, as `head` does: nothing is said"),
];

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
                print_error(&error, code, json);
            }
            ExitCode::from(code)
        }
    }
}

/// The exit code for this error: by the first cause in its chain that has one of its own, else [`FAILURE`].
pub fn code(error: &anyhow::Error) -> u8 {
    let own = |cause: &(dyn std::error::Error + 'static)| {
        let signal = cause.downcast_ref::<Signal>().map(|signal| signal.exit_code());
        let output = || cause.downcast_ref::<OutputError>().is_some_and(OutputError::is_usage);
        let usage = || (cause.is::<UsageError>() || output()).then_some(USAGE);
        let failures = || cause.is::<TooManyFailures>().then_some(TOO_MANY_FAILURES);
        signal.or_else(usage).or_else(failures).or_else(|| is_hung_up(cause).then_some(HUNG_UP))
    };
    error.chain().find_map(own).unwrap_or(FAILURE)
}

/// Says the error in the one form that errors have.
pub(crate) fn print_error(error: &anyhow::Error, code: u8, json: bool) {
    let text = if json { as_json(error, code).to_string() } else { Chain(error).to_string() };
    // Nobody is left to tell where standard error takes nothing: the exit code still says it.
    say(&text);
}

/// Says mistakes in the settings, none of which causes another: each as an error for people, all in one line of JSON.
pub(crate) fn print_mistakes(mistakes: &[String], json: bool) {
    let text = match (json, mistakes) {
        (true, [one]) => json!({ "error": one, "causes": [], "exit_code": USAGE }).to_string(),
        (true, several) => {
            let summary = format!("{} mistakes in the settings", several.len());
            json!({ "error": summary, "causes": several, "exit_code": USAGE }).to_string()
        }
        (false, each) => each.iter().map(|words| format!("error: {words}")).collect::<Vec<_>>().join("\n"),
    };
    say(&text);
}

/// Says what is no error, to people.
pub(crate) fn warn(words: &str) {
    say(&format!("warning: {words}"));
}

fn say(text: &str) {
    stderr::say(format!("{text}\n").as_bytes());
}

/// An error with its causes, in one line.
pub fn in_one_line(error: &anyhow::Error) -> String {
    causes(error).join(": ")
}

fn as_json(error: &anyhow::Error, code: u8) -> serde_json::Value {
    let mut words = causes(error);
    let first = words.remove(0);
    json!({ "error": first, "causes": words, "exit_code": code })
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

    use std::io;

    use super::*;
    use crate::output::HungUp;

    #[test]
    fn an_error_is_its_words_and_its_causes() {
        let error = anyhow!("connection refused").context("http://u:p@host: connection refused").context("no features");
        assert_eq!(Chain(&error).to_string(), "error: no features\n  caused by: http://***@host: connection refused");
        assert_eq!(
            as_json(&error, FAILURE),
            json!({ "error": "no features", "causes": ["http://***@host: connection refused"], "exit_code": 1 })
        );
    }

    #[test]
    fn the_exit_code_says_what_kind_of_end_it_was() {
        assert_eq!(code(&anyhow!("broken")), FAILURE);
        assert_eq!(code(&anyhow::Error::new(Signal::Interrupt).context("extract")), 130);
        assert_eq!(code(&anyhow::Error::new(Signal::Terminate)), 143);
        let usage: anyhow::Result<()> = Err(UsageError("--a excludes --b".to_owned())).context("plan");
        assert_eq!(code(&usage.unwrap_err()), USAGE);
        let (mut failures, most) = (crate::Failures::default(), crate::MaxFailures::Count(0));
        failures.add(headwater_types::FailureKind::Io, headwater_types::SampleIndex(1), None);
        assert_eq!(code(&failures.check(1, most).unwrap_err().into()), TOO_MANY_FAILURES);
        let pipe = |inner: Box<dyn std::error::Error + Send + Sync>| io::Error::new(io::ErrorKind::BrokenPipe, inner);
        assert_eq!(code(&anyhow::Error::new(pipe(HungUp.into())).context("export")), HUNG_UP);
        assert_eq!(code(&anyhow::Error::new(pipe("a server's".into())).context("fetch")), FAILURE);
    }
}
