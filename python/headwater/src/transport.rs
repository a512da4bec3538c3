//! How samples travel to this process: the settings of a connection, as Python's `Transport` has them.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use headwater_client::{ClientOptions, Retry};
use headwater_types::{BitsPerSecond, ByteCount, ImageLimits, LimitSetting, PriorityError};
use pyo3::prelude::*;

use crate::access::Access;
use crate::errors::argument;
use crate::traces;

/// The attributes of Python's `Transport`.
#[derive(FromPyObject)]
pub(crate) struct Transport {
    streams: usize,
    window: u64,
    threads: usize,
    connect_for: f64,
    patience: f64,
    bandwidth: Option<f64>,
    allow_partial: bool,
    limits: HashMap<String, u64>,
    allow_non_finite: bool,
    priority: String,
    hedge: bool,
    access: Access,
}

// === impl Transport ===

impl Transport {
    /// The client's options; ValueError for what they cannot be.
    pub(crate) fn options(self, py: Python<'_>) -> PyResult<ClientOptions> {
        let defaults = ClientOptions::default();
        Ok(ClientOptions {
            streams_per_server: positive("streams", self.streams)?,
            window: ByteCount::new(self.window.max(1)),
            cpu_workers: NonZeroUsize::new(self.threads).unwrap_or(defaults.cpu_workers),
            retry: Retry {
                connect_for: seconds("connect_for", self.connect_for)?,
                give_up_after: seconds("patience", self.patience)?,
                ..defaults.retry
            },
            bandwidth: self.bandwidth.map(bits_per_second).transpose()?,
            allow_partial: self.allow_partial,
            limits: own_limits(self.limits)?,
            allow_non_finite: self.allow_non_finite,
            priority: self.priority.parse().map_err(|error: PriorityError| argument(error))?,
            hedge: self.hedge,
            access: self.access.open()?,
            tracer: traces::tracer(py),
            reader: "iterate",
            ..defaults
        })
    }
}

/// A number of at least 1.
pub(crate) fn positive(name: &str, value: usize) -> PyResult<NonZeroUsize> {
    NonZeroUsize::new(value).ok_or_else(|| argument(format!("{name} must be at least 1")))
}

/// A time that is not negative.
pub(crate) fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| argument(format!("{name}={value}: give a number of seconds, 0 or more")))
}

fn bits_per_second(value: f64) -> PyResult<BitsPerSecond> {
    BitsPerSecond::new(value).ok_or_else(|| argument(format!("a bandwidth of {value} bits a second: give more than 0")))
}

/// A client's own limits. Where no limit is given, the servers' limit holds.
fn own_limits(given: HashMap<String, u64>) -> PyResult<ImageLimits> {
    let mut limits = ImageLimits::of_clients();
    for (name, value) in given {
        let setting = LimitSetting::ALL.into_iter().find(|setting| setting.keyword() == name);
        let setting = setting.ok_or_else(|| argument(format!("there is no limit {name:?}")))?;
        limits.set(setting, value);
    }
    Ok(limits)
}
