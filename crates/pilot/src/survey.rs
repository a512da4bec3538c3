//! A dataset as its headers have it: what every sample's costs are predicted from.

use headwater_client::Dataset;
use headwater_types::recipe::Orientation;
use headwater_types::{Format, Recipe, SampleIndex, SampleKey, Size};

use crate::error::PilotError;

/// What is known of one sample without its pixels.
#[derive(Clone, Debug)]
pub(crate) struct SurveyedPhoto {
    pub(crate) key: Option<SampleKey>,
    /// The server that has it, as a place among the partitions.
    pub(crate) server: usize,
    pub(crate) stored: u64,
    /// `None` where the header cannot be read.
    pub(crate) header: Option<PhotoHeader>,
    /// Why the header cannot be read.
    pub(crate) broken: Option<String>,
}

/// What a readable header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhotoHeader {
    pub(crate) jpeg: bool,
    /// The photo's size as the recipe sees it.
    pub(crate) size: Size,
}

/// Reads every header of the dataset, in order.
pub(crate) async fn survey(
    dataset: &Dataset,
    recipe: &Recipe,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<SurveyedPhoto>, PilotError> {
    let all: Vec<_> = (0..dataset.len()).map(SampleIndex).collect();
    let headers = dataset.survey(&all, on_progress).await?;
    let partitions = dataset.partitions();
    let turned = recipe.stages().orientation == Orientation::Exif;
    let photo = |surveyed: headwater_client::Surveyed| {
        let server = partitions.partition_point(|partition| partition.end() <= surveyed.index.0);
        let (header, broken) = match surveyed.outcome {
            Ok(facts) => {
                let size = if turned { facts.upright() } else { facts.size };
                (Some(PhotoHeader { jpeg: facts.format == Format::Jpeg, size }), None)
            }
            Err(failure) => (None, Some(failure.message)),
        };
        SurveyedPhoto { key: surveyed.key, server, stored: surveyed.stored.get(), header, broken }
    };
    Ok(headers.into_iter().map(photo).collect())
}
