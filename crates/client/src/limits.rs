//! Limits of what servers send. A photo past a limit fails alone, in words that name the setting and whose setting it
//! is.

use headwater_image::ImageError;
use headwater_types::{AgreedLimits, FailureKind, LimitSetting, SampleFailure, Size};

/// The failure of a sample that was worked on here.
pub(crate) fn failure_of(error: ImageError, limits: &AgreedLimits) -> SampleFailure {
    let ImageError::LimitExceeded { setting, .. } = &error else { return error.into() };
    SampleFailure::new(error.kind(), format!("{error} {}", limits.place(*setting)))
}

/// What is wrong with the size of a photo that a server sent.
pub(crate) fn check_size(size: Size, limits: &AgreedLimits) -> Result<(), Past> {
    let held = limits.limits();
    let longest = u64::from(size.width.max(size.height));
    check("longest side", longest, held.max_dimension.into(), LimitSetting::Dimension, limits)?;
    check("pixels", size.pixels(), held.max_pixels, LimitSetting::Pixels, limits)
}

/// What is wrong with the number of bytes of a photo that a server sent.
pub(crate) fn check_object(bytes: usize, limits: &AgreedLimits) -> Result<(), Past> {
    check("bytes", bytes as u64, limits.limits().max_object.get(), LimitSetting::Object, limits)
}

fn check(
    what: &'static str,
    actual: u64,
    limit: u64,
    setting: LimitSetting,
    limits: &AgreedLimits,
) -> Result<(), Past> {
    match actual > limit {
        false => Ok(()),
        // A server keeps the limits that it tells.
        true if limits.is_servers(setting) => Err(Past::Breach(format!(
            "its {what} {actual} are past the limits: the server says that it has at most {limit}"
        ))),
        true => {
            let place = limits.place(setting);
            let message = format!("{what} {actual} over the limit of {limit}: raise {} {place}", setting.flag());
            Err(Past::Own(SampleFailure::new(FailureKind::LimitExceeded, message)))
        }
    }
}

/// Whose limit a photo is past.
pub(crate) enum Past {
    /// The server's own limit, in words.
    Breach(String),
    /// The client's limit: the failure of the sample.
    Own(SampleFailure),
}
