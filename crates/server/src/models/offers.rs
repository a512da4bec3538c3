//! What a server gives to another that was away.

use anyhow::Result;
use headwater_types::ByteCount;
use headwater_versions::Manner;
use headwater_wire::models::{AskedOffer, PullPiece, PushManner, PushOffer};

use super::registry::Models;

impl Models {
    /// How a version travels to a server that has these, by fewest bytes. Blocks for as long as making a difference
    /// takes.
    ///
    /// # Errors
    /// A version that is not here.
    pub(crate) fn offer(&self, asked: &AskedOffer) -> Result<PushOffer> {
        let (version, transfer) = self.store()?.offer(&asked.name, asked.digest, &asked.held)?;
        let recipe = version.manner.recipe()?;
        let manner = match version.manner {
            Manner::Head => PushManner::Head,
            Manner::Model { output, classes, .. } => {
                // What the file's usual output is need not be what another has taken of the model before.
                let now = self.now().models.get(&asked.name).filter(|model| model.digest() == version.digest).cloned();
                let output = output.or_else(|| now.map(|model| model.output().to_owned()));
                PushManner::Model { recipe, output, classes }
            }
        };
        Ok(PushOffer {
            name: asked.name.clone(),
            manner,
            digest: version.digest,
            bytes: ByteCount::new(version.bytes),
            base: transfer.base,
            transfer: transfer.digest,
            transfer_bytes: transfer.bytes,
        })
    }

    /// A piece of what was offered; `None` where it is not here any more. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn piece(&self, wanted: &PullPiece) -> Result<Option<Vec<u8>>> {
        Ok(self.store()?.piece(wanted.transfer, wanted.place, wanted.most)?)
    }
}
