//! The process's variables, as something that tests can give.

use std::ffi::OsString;
use std::time::Duration;

use crate::error::SettingError;

/// Gives the value of a variable.
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

// === impl Variables ===

impl Variables<'_> {
    /// A variable's text; `None` where it is not set or empty.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, SettingError> {
        let Some(value) = self.0(name) else { return Ok(None) };
        let text = value.into_string().map_err(|_| SettingError::new(name, "it is no text in UTF-8"))?;
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    /// The first of two variables that is set: the one for traces, then the one for all signals.
    pub(super) fn either(
        &self,
        [of_traces, of_all]: [&'static str; 2],
    ) -> Result<Option<(&'static str, String)>, SettingError> {
        Ok(match self.text(of_traces)? {
            Some(text) => Some((of_traces, text)),
            None => self.text(of_all)?.map(|text| (of_all, text)),
        })
    }

    pub(super) fn switch(&self, name: &'static str) -> Result<bool, SettingError> {
        match self.text(name)?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(SettingError::new(name, format!("{text:?} is neither true nor false"))),
        }
    }

    /// A whole number that is not 0.
    pub(super) fn count(&self, name: &'static str, default: usize) -> Result<usize, SettingError> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        let count = text.parse().ok().filter(|&count| count > 0 && count <= MOST);
        count.ok_or_else(|| SettingError::new(name, format!("{text:?} is no whole number from 1 to {MOST}")))
    }

    pub(super) fn milliseconds(&self, names: &[&'static str], default: Duration) -> Result<Duration, SettingError> {
        for name in names {
            if self.text(name)?.is_some() {
                return Ok(Duration::from_millis(self.count(name, 1)? as u64));
            }
        }
        Ok(default)
    }
}

/// Nothing that is counted here is more: a day in milliseconds.
const MOST: usize = 24 * 60 * 60 * 1000;
