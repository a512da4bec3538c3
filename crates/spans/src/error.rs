//! A variable that cannot be right.

/// A variable that cannot be right, and what would be. A value that may be a secret is not in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct SettingError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong, and the fix.
    pub reason: String,
}

// === impl SettingError ===

impl SettingError {
    pub(crate) fn new(variable: &'static str, reason: impl Into<String>) -> Self {
        Self { variable, reason: reason.into() }
    }
}
