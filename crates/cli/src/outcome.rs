//! How a command ended: with what it made, with an error, or with both, where what was made is kept although it is not
//! all.

use std::fmt::Display;

use anyhow::Context as _;
use serde::Serialize;

use crate::output::{print_json, print_text};
use crate::signals::{Ended, Signal};

/// What a command made, and why that is not what was asked for, where it is not.
#[derive(Debug)]
pub struct Outcome<T> {
    made: Option<T>,
    fault: Option<anyhow::Error>,
}

// === impl Outcome ===

impl<T> Outcome<T> {
    /// All that was asked for, and printed already.
    pub fn nothing() -> Self {
        Self { made: None, fault: None }
    }

    /// All that was asked for.
    pub fn done(made: T) -> Self {
        Self { made: Some(made), fault: None }
    }

    /// What could be made, and why that is not all.
    pub fn short(made: T, fault: impl Into<anyhow::Error>) -> Self {
        Self { made: Some(made), fault: Some(fault.into()) }
    }

    /// All that was asked for, unless there is a fault.
    pub fn of(made: T, fault: Result<(), impl Into<anyhow::Error>>) -> Self {
        Self { made: Some(made), fault: fault.err().map(Into::into) }
    }

    /// What was made, and why that is not all.
    pub fn into_parts(self) -> (Option<T>, Option<anyhow::Error>) {
        (self.made, self.fault)
    }

    /// What was made.
    pub fn made(&self) -> Option<&T> {
        self.made.as_ref()
    }

    /// Why that is not all.
    pub fn fault(&self) -> Option<&anyhow::Error> {
        self.fault.as_ref()
    }

    /// Where a signal asked for the stop, it is the reason for what is missing, and decides the exit code.
    fn asked(self, signal: Option<Signal>) -> Self {
        let fault = self.fault.map(|fault| because(fault, signal));
        Self { fault, ..self }
    }
}

impl<T> Ended<anyhow::Result<T>> {
    /// The work's result. Where a signal asked for the stop, an error is the signal's, and has its exit code.
    ///
    /// # Errors
    /// The work's own, or the signal.
    pub fn into_result(self) -> anyhow::Result<T> {
        match self {
            Self::Finished { value, asked } => value.map_err(|error| because(error, asked)),
            Self::Dropped(signal) => Err(signal.into()),
        }
    }
}

fn because(error: anyhow::Error, signal: Option<Signal>) -> anyhow::Error {
    match signal {
        Some(signal) => anyhow::Error::new(signal).context(error.to_string()),
        None => error,
    }
}

impl<T: Serialize + Display> Outcome<T> {
    /// Prints what was made, for people or as JSON; the fault is the caller's error.
    ///
    /// # Errors
    /// The fault, or what kept the result from being printed.
    pub fn print(self, json: bool) -> anyhow::Result<()> {
        let printed = self.made.as_ref().map_or(Ok(()), |made| print(made, json));
        match self.fault {
            Some(fault) => Err(fault),
            None => printed.context("the result could not be printed"),
        }
    }
}

impl<T, E: Into<anyhow::Error>> From<Result<T, E>> for Outcome<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(made) => Self::done(made),
            Err(error) => Self { made: None, fault: Some(error.into()) },
        }
    }
}

/// The outcome of work that signals may stop: see [`Signals::guard`](crate::Signals::guard).
impl<T, E: Into<anyhow::Error>> From<Ended<Result<Outcome<T>, E>>> for Outcome<T> {
    fn from(ended: Ended<Result<Self, E>>) -> Self {
        match ended {
            Ended::Finished { value: Ok(outcome), asked } => outcome.asked(asked),
            Ended::Finished { value: Err(error), asked } => Self { made: None, fault: Some(error.into()) }.asked(asked),
            Ended::Dropped(signal) => Self { made: None, fault: Some(signal.into()) },
        }
    }
}

fn print(result: &(impl Serialize + Display), json: bool) -> std::io::Result<()> {
    if json { print_json(result) } else { print_text(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::code;

    #[test]
    fn a_signal_is_the_reason_for_what_is_missing_and_for_nothing_else() {
        let short = || Ok::<_, anyhow::Error>(Outcome::short(7, anyhow::anyhow!("275 of 399 samples are kept")));
        let ended = |value, asked| Outcome::from(Ended::Finished { value, asked });
        let stopped = ended(short(), Some(Signal::Interrupt));
        let fault = stopped.fault().unwrap();
        assert_eq!(
            (stopped.made(), code(fault), fault.to_string().as_str()),
            (Some(&7), 130, "275 of 399 samples are kept")
        );
        assert_eq!(code(ended(short(), None).fault().unwrap()), 1);
        assert!(ended(Ok(Outcome::done(7)), Some(Signal::Terminate)).fault().is_none());
        let dropped: Outcome<u8> = Ended::<anyhow::Result<_>>::Dropped(Signal::Terminate).into();
        assert_eq!(code(dropped.fault().unwrap()), 143);
    }
}
