//! The samples of a TIFF's pixels: what they mean, how many bits each has, and how many a pixel has.

use super::directory::{Directory, FILL_ORDER, PLANAR, malformed, unsupported};
use super::kind::{Kind, Stated};
use crate::error::ImageError;

const BITS: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const SAMPLES: u16 = 277;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;
/// Most samples of a pixel.
const MOST_SAMPLES: u64 = 6;

/// What samples mean, how many bits each has, and how many a pixel has.
pub(super) fn samples(directory: &Directory, bytes: &[u8]) -> Result<(Kind, usize, usize), ImageError> {
    let first = |tag: u16, default: u64| directory.first(bytes, tag).unwrap_or(default);
    let same = |tag: u16, among: usize| {
        let values = directory.values(bytes, tag)?;
        let first = values.get(0)?;
        values.iter().take(among).all(|value| value == first).then_some(first)
    };
    let stated_samples = first(SAMPLES, 1);
    if stated_samples > MOST_SAMPLES {
        return Err(unsupported(format!("{stated_samples} samples a pixel")));
    }
    let mut samples = stated_samples as usize;
    let extra = directory.values(bytes, EXTRA_SAMPLES);
    let mut extra = extra.map_or((0, 0), |extra| {
        let first = extra.get(0).unwrap_or(0);
        // Only the first may be alpha.
        let known = extra.iter().skip(1).all(|kind| kind == 0);
        (extra.len(), if known { first } else { u64::MAX })
    });
    if first(PLANAR, 1) == 2 && extra.0 > 0 && extra.1 == 0 {
        samples = samples.saturating_sub(extra.0);
        extra = (0, 0);
    }
    let bits = directory.values(bytes, BITS).map_or(1, |bits| bits.len());
    if bits != 1 && bits < samples {
        return Err(malformed("some of its samples have no bits"));
    }
    let mixed = || unsupported("samples of different kinds");
    let bits = if bits == 1 { first(BITS, 1) } else { same(BITS, samples).ok_or_else(mixed)? };
    let format = match directory.values(bytes, SAMPLE_FORMAT) {
        None => 1,
        Some(formats) => same(SAMPLE_FORMAT, formats.len()).ok_or_else(mixed)?,
    };
    let photometric = first(PHOTOMETRIC, 0);
    let stated = Stated {
        photometric,
        format,
        bits,
        samples,
        extra,
        big_endian: directory.big_endian,
        reversed: first(FILL_ORDER, 1) == 2,
    };
    let kind = Kind::of(stated).ok_or_else(|| {
        unsupported(format!("{samples} samples of {bits} bits, format {format}, photometric {photometric}"))
    })?;
    Ok((kind, bits as usize, samples))
}

/// Whether samples are named that are no colours.
pub(super) fn has_extra(directory: &Directory, bytes: &[u8]) -> bool {
    directory.values(bytes, EXTRA_SAMPLES).is_some()
}
