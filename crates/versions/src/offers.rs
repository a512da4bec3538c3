//! What a store gives to another that lacks a version: the shortest difference, or the whole file.

use headwater_types::{ByteCount, Digest, ModelName};

use crate::error::VersionError;
use crate::record::Version;
use crate::store::VersionStore;
use crate::transfer::Transfer;

/// Most bases from which differences are made for one offer: each takes a second for some hundred megabytes.
const MOST_TRIED: usize = 2;

// === impl VersionStore ===

impl VersionStore {
    /// How a version of a name travels to somebody who has these, by fewest bytes. The difference is kept until others
    /// have been offered. Blocks for as long as making it takes.
    ///
    /// # Errors
    /// A version that is not here; the disk's.
    pub fn offer(
        &self,
        name: &ModelName,
        digest: Digest,
        held: &[Digest],
    ) -> Result<(Version, Transfer), VersionError> {
        let unknown = || VersionError::UnknownVersion { name: name.clone(), digest };
        let version = self.named(name).version(digest).cloned().ok_or_else(unknown)?;
        let _offering = self.offering();
        let model = self.read(digest)?;
        let mut shortest: Option<Vec<u8>> = None;
        for base in held.iter().filter(|base| self.has(**base)).take(MOST_TRIED) {
            let delta = headwater_delta::encode(&self.read(*base)?, &model);
            if delta.len() < shortest.as_ref().map_or(model.len(), Vec::len) {
                shortest = Some(delta);
            }
        }
        let Some(delta) = shortest else { return Ok((version, Transfer::whole(&model))) };
        let transfer = Transfer::delta(&delta)?;
        self.keep_offer(transfer.digest, &delta)?;
        Ok((version, transfer))
    }

    /// A piece of what was offered: a difference, or a whole model. `None` where it is not here any more. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn piece(&self, transfer: Digest, place: u64, most: usize) -> Result<Option<Vec<u8>>, VersionError> {
        self.read_piece(transfer, ByteCount::new(place), most)
    }
}
