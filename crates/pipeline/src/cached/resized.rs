//! The entry of a sample whose pixels are kept: the crop, resized, before it is flipped.
//!
//! ```text
//!  0       4        8      9
//! ┌───────┬────────┬──────┬─────────────────────────────────────────────┐
//! │ width │ height │ code │ pixels                                      │
//! │ u32   │ u32    │ u8   │ 0: as they are, h x w x 3; 1: without loss  │
//! └───────┴────────┴──────┴─────────────────────────────────────────────┘
//!
//! width, height   of the decoded photo, which goes with the sample; numbers little endian
//! ```
//!
//! The crop's own size is the recipe's. Only recipes that draw no crop at random have such entries; a flip that is
//! drawn at random comes behind, from the request's own draw. So the bits are those of a sample without a cache.

use bytes::Bytes;
use headwater_image::{Payload, Rgb8, lossless};
use headwater_types::{ByteCount, ImageLimits, Recipe, Size};

use super::size_head::{HEAD, put_size, take_size};

/// A sample at the cut `cropped`, and the size of the photo of which it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resized {
    pub(crate) payload: Payload,
    pub(crate) source: Size,
}

const RAW: u8 = 0;
const LOSSLESS: u8 = 1;

/// Most bytes of the entry of a recipe.
pub(crate) fn most_bytes(recipe: &Recipe) -> ByteCount {
    ByteCount::new((HEAD + 1) as u64 + raw_bytes(recipe))
}

/// Bytes of a recipe's pixels.
pub(crate) fn raw_bytes(recipe: &Recipe) -> u64 {
    3 * recipe.output_size().pixels()
}

/// The entry of a sample at the cut `cropped`; `None` at any other. Computes for about a millisecond.
pub(crate) fn seal(payload: &Payload, source: Size) -> Option<Bytes> {
    let Payload::Cropped(rgb) = payload else { return None };
    let coded = lossless::encode(rgb);
    let (code, pixels) = coded.as_deref().map_or((RAW, rgb.pixels()), |coded| (LOSSLESS, coded));
    let mut entry = Vec::with_capacity(HEAD + 1 + pixels.len());
    put_size(&mut entry, source);
    entry.push(code);
    entry.extend(pixels);
    Some(entry.into())
}

/// The sample of an entry of this recipe; `None` for what is none, which is made anew.
pub(crate) fn open(entry: &[u8], recipe: &Recipe, limits: &ImageLimits) -> Option<Resized> {
    let (source, rest) = take_size(entry)?;
    let (code, pixels) = rest.split_first()?;
    let size = recipe.output_size();
    let rgb = match *code {
        RAW if pixels.len() as u64 == raw_bytes(recipe) => Rgb8::new(size, pixels.to_vec())?,
        LOSSLESS => lossless::decode(pixels, size, limits).ok()?,
        _ => return None,
    };
    Some(Resized { payload: Payload::Cropped(rgb), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let text = "name='x'\n[[stage]]\nop='decode'\n[[stage]]\nop='resize'\nsize=[6, 8]\n[[stage]]\nop='to-tensor'\n";
        Recipe::from_toml(text).unwrap()
    }

    fn picture(pixel: impl Fn(usize) -> u8) -> Rgb8 {
        Rgb8::new(Size { width: 8, height: 6 }, (0..3 * 48).map(pixel).collect()).unwrap()
    }

    #[test]
    fn pixels_come_back_whether_they_could_be_coded_or_not() {
        let (recipe, limits, source) = (recipe(), ImageLimits::default(), Size { width: 500, height: 375 });
        for (payload, code) in
            [(picture(|_| 7), LOSSLESS), (picture(|at| (at * at * 31 + at * 17 + (at >> 2) * 113) as u8), RAW)]
        {
            let payload = Payload::Cropped(payload);
            let entry = seal(&payload, source).unwrap();
            assert_eq!(entry[HEAD], code);
            assert!(entry.len() as u64 <= most_bytes(&recipe).get());
            assert_eq!(open(&entry, &recipe, &limits), Some(Resized { payload, source }));
            for cut in 0..entry.len() {
                assert_eq!(open(&entry[..cut], &recipe, &limits), None, "{cut}");
            }
        }
        assert_eq!(seal(&Payload::Flipped(picture(|_| 7)), source), None);
    }
}
