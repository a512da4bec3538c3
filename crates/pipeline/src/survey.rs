//! What a photo's header says, without a pixel: planners ask for it.

use headwater_cache::KindName;
use headwater_image::{Header, read_header};
use headwater_types::recipe::Orientation;
use headwater_types::{SampleFailure, SampleIndex};

use crate::failure::lost;
use crate::photo::Fetched;
use crate::pipeline::Pipeline;
use crate::resources::Job;

// === impl Pipeline ===

impl Pipeline {
    /// Reads a sample's header, with the turn that EXIF asks for. No CPU worker is needed: servers without workers are
    /// planned for, too. `keep` says whether the stored bytes may be kept.
    ///
    /// # Errors
    /// Those of reading the sample, and of its header.
    pub async fn survey(&self, index: SampleIndex, keep: bool, job: &Job) -> Result<Header, SampleFailure> {
        let mut sample = self.set_out(index, (false, keep))?;
        let keep = self.worth_keeping(&[KindName::Encoded], &sample).has(KindName::Encoded);
        let Fetched { bytes, permit, .. } = self.fetch(&mut sample, keep, job).await?;
        let limits = self.limits;
        let read = move || {
            let header = read_header(&bytes, Orientation::Exif, &limits);
            drop((bytes, permit));
            header
        };
        Ok(tokio::task::spawn_blocking(read).await.map_err(|error| lost(&error))??)
    }
}
