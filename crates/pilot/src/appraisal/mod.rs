//! Whether a job is worth a profile.
//!
//! A plan makes most jobs shorter by a third at best. So measuring may take a few percent of the time that the job
//! takes without a plan. The first of the job's own samples show how long that is. Their bytes, and how fast they came,
//! show how long a profile takes at least. A job that is too short for its profile goes the plain way: features where
//! servers have the model, and stored photos elsewhere.
//!
//! The job's own samples are not profiled at different ways while the job runs. A profile needs only a few samples of
//! each size and server at each way, and a job has its samples in an order of its own. It would only spare the few
//! percent.

mod first_look;
mod plain;

use std::time::Duration;

use headwater_client::Dataset;
use headwater_types::{Address, SampleIndex, Way};
use serde::Serialize;
use tokio::time::Instant;

pub(crate) use first_look::LEAST_NETWORK;
use first_look::{FirstLook, evenly};
pub(crate) use plain::plain;

use crate::error::PilotError;
use crate::headway::Meter;
use crate::target::Making;

/// What was found of a job before it began, and whether it is planned for that.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Appraisal {
    /// Whether the job's samples follow a plan. Otherwise they come the plain way.
    pub planned: bool,
    /// Seconds that the job is estimated to take the plain way; `None` where no sample was looked at.
    pub job_seconds: Option<f64>,
    /// Seconds that a profile is estimated to take at least; `None` where no sample was looked at.
    pub least_seconds: Option<f64>,
    /// Seconds that measuring was allowed.
    pub budget_seconds: f64,
    /// Seconds from the first look to the plan.
    pub seconds: f64,
    /// Samples that were measured for a profile.
    pub measured: u64,
}

/// Part of a job's time that measuring may take, where no budget is set.
pub const PROFILE_PART: f64 = 0.05;
// === impl Appraisal ===

impl Appraisal {
    /// Appraises a job by its first samples, unless measuring may take no time. `ways` are the ways that a profile
    /// would measure.
    pub(crate) async fn of(
        dataset: &Dataset,
        making: Making<'_>,
        ways: &[Way],
        address: Address,
        samples: &[SampleIndex],
        budget: Option<Duration>,
        meter: &Meter<'_>,
    ) -> Result<Self, PilotError> {
        let begin = Instant::now();
        if samples.is_empty() || budget.is_some_and(|budget| budget.is_zero()) {
            return Ok(Self::default());
        }
        let few = evenly(samples);
        meter.expect(few.len() as u64);
        let look = FirstLook::at(dataset, making, address, &few, meter).await?;
        let job = look.per_sample * samples.len() as f64;
        let budget = budget.map_or(PROFILE_PART * job, |budget| budget.as_secs_f64());
        let least = look.least(dataset, making, ways);
        Ok(Self {
            planned: budget >= least,
            job_seconds: Some(job),
            least_seconds: Some(least),
            budget_seconds: budget,
            seconds: begin.elapsed().as_secs_f64(),
            measured: 0,
        })
    }

    /// Time that measuring may take.
    pub(crate) fn budget(&self) -> Duration {
        Duration::try_from_secs_f64(self.budget_seconds).unwrap_or_default()
    }

    /// Why the job goes the plain way, in words; `None` where it is planned.
    pub fn reason(&self) -> Option<String> {
        if self.planned {
            return None;
        }
        let (Some(job), Some(least)) = (self.job_seconds, self.least_seconds) else {
            return Some("not planned: no time was given to measure".to_owned());
        };
        let budget = self.budget_seconds;
        Some(format!(
            "not planned: measuring takes at least {least:.1} s, and may take {budget:.2} s of a job of about \
             {job:.1} s"
        ))
    }

    /// Writes into the log what was found.
    pub(crate) fn trace(&self) {
        let Self { planned, job_seconds, least_seconds, budget_seconds, seconds, measured } = self;
        if *planned {
            tracing::info!(measured, seconds, budget_seconds, job_seconds, "profiled a little");
        } else {
            tracing::info!(
                job_seconds,
                least_seconds,
                budget_seconds,
                "too short for a profile: samples come the plain way; --profile-seconds gives it more time"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_goes_the_plain_way_says_why() {
        let appraisal = Appraisal {
            job_seconds: Some(3.0),
            least_seconds: Some(2.5),
            budget_seconds: 0.15,
            ..Appraisal::default()
        };
        let reason = appraisal.reason().unwrap();
        assert_eq!(reason, "not planned: measuring takes at least 2.5 s, and may take 0.15 s of a job of about 3.0 s");
        assert_eq!(Appraisal { planned: true, ..appraisal }.reason(), None);
        assert!(Appraisal::default().reason().unwrap().contains("no time"));
    }
}
