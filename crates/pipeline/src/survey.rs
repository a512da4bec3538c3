//! What a photo's header says, without a pixel: for who plans.

use headwater_image::{Header, read_header};
use headwater_types::recipe::Orientation;
use headwater_types::{FailureKind, SampleFailure, SampleIndex};

use crate::account::Account;
use crate::failure::lost;
use crate::photo::Fetched;
use crate::sample::Pipeline;
use crate::times::StageTimes;

// === impl Pipeline ===

impl Pipeline {
    /// Reads a sample's header, with the turn that EXIF asks for. No CPU worker is needed: who has none is planned for,
    /// too.
    ///
    /// # Errors
    /// Those of reading the sample, and of its header.
    pub async fn survey(&self, index: SampleIndex, account: &Account) -> Result<Header, SampleFailure> {
        let unknown = || {
            let message = format!("no sample {index}: the partition has {}", self.catalog.len());
            SampleFailure::new(FailureKind::OutOfRange, message)
        };
        self.catalog.get(index).ok_or_else(unknown)?;
        let Fetched { bytes, permit } = self.fetch(index, account, &mut StageTimes::default()).await?;
        let limits = self.limits;
        let read = move || {
            let header = read_header(&bytes, Orientation::Exif, &limits);
            drop((bytes, permit));
            header
        };
        Ok(tokio::task::spawn_blocking(read).await.map_err(|error| lost(&error))??)
    }
}
