//! How large a sample can be that another server prepares: its memory is granted before it comes.

use headwater_image::IndexedJpeg;
use headwater_types::{ByteCount, Form, SampleFailure};

use crate::pipeline::Pipeline;
use crate::request::{SampleRequest, Wanted};

/// Bytes of a decoded photo for each stored byte, at most, of all but a few photos: those that take more are made here.
/// Photos of cameras have about ten.
const DECODED: u64 = 32;
/// The least bound of a decoded photo: small files may be drawings, which are coded in a hundredth of their bytes.
const SMALL: u64 = 1 << 20;
/// Bytes of a pixel as u8.
const PIXEL: u64 = 3;
/// Bytes of an element as f32.
const FLOAT: u64 = 4;

// === impl Pipeline ===

impl Pipeline {
    /// Most bytes that are to come of a sample. It is exact for pixels and floats behind the crop, and for features; a
    /// whole photo as pixels may be larger, and is then not to be taken from another.
    ///
    /// # Errors
    /// Those of finding the sample's stored size, and a sample that the catalog does not have.
    pub async fn bound(&self, request: &SampleRequest) -> Result<ByteCount, SampleFailure> {
        let bytes = match &request.wanted {
            Wanted::Features { model, .. } => 4 * model.feature_len() as u64,
            Wanted::Stored => self.stored_length(request).await?.get(),
            // Where it cannot be cropped, the photo comes as it is stored.
            Wanted::JpegCrop(_) => IndexedJpeg::most_bytes(self.stored_length(request).await?).get(),
            Wanted::Pixels { recipe, way } => match way.cut().form() {
                Form::Pixels => recipe.output_size().pixels() * PIXEL,
                Form::Floats => recipe.output_size().pixels() * PIXEL * FLOAT,
                Form::Stored | Form::Crop | Form::Photo | Form::Features => {
                    let stored = self.stored_length(request).await?.get();
                    stored.saturating_mul(DECODED).max(SMALL).min(self.limits.max_sample_memory.get())
                }
            },
        };
        Ok(ByteCount::new(bytes))
    }

    async fn stored_length(&self, request: &SampleRequest) -> Result<ByteCount, SampleFailure> {
        let mut sample = self.set_out(request.index, (false, false))?;
        self.length(&mut sample).await
    }
}
