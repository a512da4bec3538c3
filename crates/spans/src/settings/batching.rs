//! How many spans wait, and for how long.

use std::time::Duration;

use crate::error::SettingError;
use crate::settings::variables::Variables;

/// How many spans wait, and for how long. The defaults are OpenTelemetry's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Batching {
    /// Most spans that wait. Further ones are dropped.
    pub(crate) queue: usize,
    /// Most spans of one message.
    pub(crate) batch: usize,
    /// How long a span waits for others.
    pub(crate) delay: Duration,
    /// How long a message is tried to be sent, all tries together.
    pub(crate) timeout: Duration,
}

const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

/// Most spans that may wait: at about 1 kB each, 64 MB.
const MOST_QUEUED: usize = 65_536;

// === impl Batching ===

impl Batching {
    pub(super) fn read(variables: &Variables<'_>) -> Result<Self, SettingError> {
        let queue = variables.count(QUEUE, 2048)?;
        if queue > MOST_QUEUED {
            return Err(SettingError::new(QUEUE, format!("{queue} spans take too much memory: at most {MOST_QUEUED}")));
        }
        let batch = match variables.text(BATCH)? {
            None => queue.min(512),
            Some(_) => variables.count(BATCH, 512)?,
        };
        if batch > queue {
            return Err(SettingError::new(BATCH, format!("{batch} is more than {QUEUE}, which is {queue}")));
        }
        Ok(Self {
            queue,
            batch,
            delay: variables.milliseconds(&["OTEL_BSP_SCHEDULE_DELAY"], Duration::from_secs(5))?,
            timeout: variables.milliseconds(&["OTEL_BSP_EXPORT_TIMEOUT"], Duration::from_secs(30))?,
        })
    }
}
