//! The pixels of a GIF's first frame.

use weezl::decode::Decoder;
use weezl::{BitOrder, LzwStatus};

use super::blocks::Blocks;
use super::screen::{Screen, malformed};
use crate::error::ImageError;
use crate::formats::palette::Palette;
use crate::rgb::Rgb8;

/// First row and row step of each pass of an interlaced frame.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// Decodes the first frame into `out`, which has the size of the canvas. `raw` is room for the frame's indices.
pub(crate) fn decode(screen: &Screen, bytes: &[u8], raw: &mut Vec<u8>, out: &mut [u8]) -> Result<(), ImageError> {
    raw.clear();
    raw.resize(screen.place.size().pixels() as usize, 0);
    indices(screen, bytes, raw)?;
    let palette = match screen.colors {
        Some((at, count)) => Palette::new(bytes[at..at + 3 * count].as_chunks::<3>().0.iter().copied()),
        None => Palette::grey(),
    };
    let [x, y, width, height] =
        [screen.place.x, screen.place.y, screen.place.width, screen.place.height].map(|side| side as usize);
    let stride = screen.size.width as usize * Rgb8::CHANNELS;
    if screen.place.size() != screen.size {
        palette.paint(out, |_| screen.fill);
    }
    let passes: &[(usize, usize)] = if screen.interlaced { &PASSES } else { &[(0, 1)] };
    let lines = passes.iter().flat_map(|(first, step)| (*first..height).step_by(*step));
    for (row, line) in raw.chunks_exact(width).zip(lines) {
        let left = (y + line) * stride + x * Rgb8::CHANNELS;
        palette.paint(&mut out[left..left + width * Rgb8::CHANNELS], |x| row[x]);
    }
    Ok(())
}

/// Reads the indices of the frame. What stands behind the last one is not looked at.
fn indices(screen: &Screen, bytes: &[u8], out: &mut [u8]) -> Result<(), ImageError> {
    let mut codes = Decoder::new(BitOrder::Lsb, screen.bits);
    let mut done = 0;
    for mut block in Blocks::new(bytes, screen.blocks) {
        while done < out.len() {
            let read = codes.decode_bytes(block, &mut out[done..]);
            done += read.consumed_out;
            block = &block[read.consumed_in..];
            match read.status {
                Ok(LzwStatus::Ok) if read.consumed_in + read.consumed_out > 0 => {}
                Ok(LzwStatus::Ok | LzwStatus::NoProgress) => break,
                Ok(LzwStatus::Done) => return whole(done, out.len()),
                Err(_) => return Err(malformed("its codes are damaged")),
            }
        }
        if done == out.len() {
            break;
        }
    }
    whole(done, out.len())
}

fn whole(done: usize, all: usize) -> Result<(), ImageError> {
    if done < all { Err(malformed("it ends before its last pixel")) } else { Ok(()) }
}
