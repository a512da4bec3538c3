//! JPEG files with a lie in them. Segments are `FF marker length16 ...`, big endian, the length counting itself.

use anyhow::Context as _;

use crate::encode::{Encoding, Sampling};
use crate::picture::Picture;

const BASELINE_FRAME: u8 = 0xc0;
const PROGRESSIVE_FRAME: u8 = 0xc2;
const SCAN: u8 = 0xda;
const END: [u8; 2] = [0xff, 0xd9];

/// The JPEG file with another size in its frame header.
pub(super) fn with_size(file: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut file = file.to_vec();
    let frame = segments(&file).find(|(marker, _)| matches!(*marker, BASELINE_FRAME | PROGRESSIVE_FRAME));
    if let Some((_, start)) = frame {
        // FF C0 length16 precision8 height16 width16
        file[start + 5..start + 7].copy_from_slice(&height.to_be_bytes());
        file[start + 7..start + 9].copy_from_slice(&width.to_be_bytes());
    }
    file
}

/// An even grey of 2048 x 2048 whose last scan comes again and again: each costs a few bytes and a pass over every
/// coefficient.
pub(super) fn many_scans(scans: usize) -> anyhow::Result<Vec<u8>> {
    let picture = Picture::from_fn(2048, 2048, |_, _| [128; 3]);
    let file = Encoding::Jpeg { quality: 50, sampling: Sampling::Grey, progressive: true }.encode(&picture)?;
    let last = file.windows(2).rposition(|bytes| bytes == [0xff, SCAN]).context("a JPEG without a scan")?;
    let end = file.len() - END.len();
    let (before, scan) = (&file[..last], &file[last..end]);
    Ok([before, &scan.repeat(scans), &END].concat())
}

/// Marker and offset of each segment up to the first scan's.
fn segments(file: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let mut next = Some(2);
    std::iter::from_fn(move || {
        let start = next?;
        let [0xff, marker, high, low, ..] = file.get(start..)? else { return None };
        next = (*marker != SCAN).then(|| start + 2 + usize::from(u16::from_be_bytes([*high, *low])));
        Some((*marker, start))
    })
}
