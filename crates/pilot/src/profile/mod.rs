//! A dataset's profile: some samples measured at every way, the others predicted.
//!
//! ```text
//! survey: every header ─▶ order ─▶ some of it at each way ─▶ fit ─▶ how far off, how much time left?
//!                                        ▲                                        │
//!                                        └────────────────── more ────────────────┴─▶ predict the rest
//! ```
//!
//! What is known exactly is not predicted: stored bytes, and the bytes of pixels that travel raw.

mod bytes;
mod campaign;
mod conclusion;
mod goals;
mod options;
mod quantity;
mod way_model;

use headwater_client::Dataset;
use headwater_plan::Profile;
use tokio::time::Instant;

use campaign::Campaign;
pub(crate) use options::FIRST_SAMPLES;
pub use options::{ProfileOptions, Samples};

use crate::error::PilotError;
use crate::finishing::Finishing;
use crate::headway::{Meter, OnProgress};
use crate::rounds;
use crate::survey::survey;
use crate::target::Making;

/// The most rounds of measuring.
const ROUNDS: usize = 3;

/// Profiles a dataset under a recipe, or for a model's features. `on_progress` hears how far it has come.
///
/// Only servers with CPU workers are asked for more than stored bytes, and only servers that have the model are asked
/// for features. What samples would take at the other servers is predicted, and the profile says that these lack the
/// way.
///
/// # Errors
/// Servers that cannot be asked; a dataset without a sample, or of which none can be decoded.
pub async fn profile<'a>(
    dataset: &Dataset,
    making: impl Into<Making<'a>>,
    options: &ProfileOptions,
    on_progress: OnProgress<'_>,
) -> Result<Profile, PilotError> {
    metered(dataset, making.into(), options, &Meter::new(on_progress)).await
}

/// Profiles a dataset as [`profile`] does, as a part of a larger task that counts its progress with `meter`.
pub(crate) async fn metered(
    dataset: &Dataset,
    making: Making<'_>,
    options: &ProfileOptions,
    meter: &Meter<'_>,
) -> Result<Profile, PilotError> {
    let deadline = options.budget.map(|budget| Instant::now() + budget);
    if dataset.is_empty() {
        return Err(PilotError::Empty);
    }
    if let Making::Features { model, .. } = making
        && model.unrated
    {
        let (model, device) = (&model.info.name, &model.info.device);
        tracing::warn!(
            %model,
            %device,
            "a server infers on devices and does not say how fast they are: a plan counts what its cores do for it, \
             and no more; a server of this version says it"
        );
    }
    meter.expect(dataset.len());
    let photos = survey(dataset, making.target().recipe(), &|more| meter.done(more)).await?;
    let finishing = Finishing::new(making, dataset)?;
    let mut campaign = Campaign::new(dataset, making, options, photos);
    let mut upto = campaign.first(deadline.is_some());
    let mut limit = None;
    for _ in 0..ROUNDS {
        campaign.measure(&finishing, &upto, limit, meter).await?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let Some(next) = rounds::next(&campaign.stands(), left) else { break };
        (upto, limit) = (next, deadline);
    }
    campaign.check()?;
    campaign.finish()
}
