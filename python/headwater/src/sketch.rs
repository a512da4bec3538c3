//! Measuring a dataset a little, for `plan="auto"`.

use std::sync::{Mutex, PoisonError};

use headwater_client::Dataset;
use headwater_pilot::{Headway, PilotError, Sketch, SketchOptions, resources_of, sketch};
use headwater_plan::Cores;
use headwater_types::{Address, Recipe, SampleIndex};
use pyo3::prelude::*;

use crate::errors::{self, HeadwaterError, argument};
use crate::network::Network;
use crate::profile::Profile;
use crate::transport;

/// A profile, or why there is none; and the seconds that an epoch is estimated to take.
pub(crate) type Sketched = (Option<Profile>, (Option<String>, f64));

/// Measures the dataset, and the way to its servers, for a job whose ranks have so many cores together. `on_progress`
/// hears how many pieces of that are done, and of how many.
pub(crate) fn measure(
    py: Python<'_>,
    (dataset, network): (&Dataset, &Network),
    recipe: &Recipe,
    seed: u64,
    (cores, seconds): (f64, Option<f64>),
    on_progress: &Bound<'_, PyAny>,
) -> PyResult<Sketched> {
    let mut resources = resources_of(dataset);
    resources.trainer_cores =
        Some(Cores::new(cores).ok_or_else(|| argument(format!("{cores} cores: give 0 or more")))?);
    let budget = seconds.map(|time| transport::seconds("profile_seconds", time)).transpose()?;
    let options = SketchOptions { budget, ..SketchOptions::default() };
    // The job is an epoch over the whole dataset.
    let samples: Vec<_> = (0..dataset.len()).map(SampleIndex).collect();
    let (reached, mut last) = (Mutex::new(Headway::default()), Headway::default());
    let reach = |headway| *reached.lock().unwrap_or_else(PoisonError::into_inner) = headway;
    let measuring = sketch(dataset, recipe, &options, Address::new(seed, 0), &samples, &reach);
    let look = |_: Python<'_>| {
        let now = *reached.lock().unwrap_or_else(PoisonError::into_inner);
        if now != last {
            last = now;
            on_progress.call1((now.done, now.total))?;
        }
        Ok(())
    };
    let (appraisal, sketch) = network.wait_looking(py, measuring, look)?.map_err(|error| match error {
        PilotError::Client(error) => errors::server(&error),
        other => HeadwaterError::new_err(other.to_string()),
    })?;
    let appraised = (appraisal.reason(), appraisal.job_seconds.unwrap_or_default());
    let Some(Sketch { profile, bandwidth }) = sketch else { return Ok((None, appraised)) };
    resources.bandwidth = bandwidth;
    py.detach(|| Ok((Some(Profile::new(&profile, resources)?), appraised)))
}
