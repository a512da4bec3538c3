//! The inner loops for x86 machines.

/// The vertical pass with vectors of one width, in steps of the same names for all.
macro_rules! vertical {
    ($features:literal) => {
        /// Makes a row of rows as [`vertical`](crate::kernel::vertical) does.
        #[target_feature(enable = $features)]
        pub(in crate::kernel) fn vertical(rows: &[u8], stride: usize, count: usize, pairs: &[Pair], out: &mut [u8]) {
            let Some(last) = out.len().checked_sub(VECTOR) else {
                return portable::vertical(rows, stride, count, pairs, out);
            };
            let none = zero();
            let mut x = 0;
            loop {
                let mut sums = [Sums::new(); 4];
                let columns = &rows[x..(count - 1) * stride + x + VECTOR];
                for (place, pair) in pairs.iter().enumerate() {
                    let upper: Vector = bytemuck::pod_read_unaligned(&columns[2 * place * stride..][..VECTOR]);
                    // Where taps are odd in number, the last has weight 0 and any row will do.
                    let below = (2 * place + 1).min(count - 1) * stride;
                    let lower: Vector = bytemuck::pod_read_unaligned(&columns[below..][..VECTOR]);
                    let (first, second) = (low8(upper, lower), high8(upper, lower));
                    sums[0].add(low8(first, none), pair);
                    sums[1].add(high8(first, none), pair);
                    sums[2].add(low8(second, none), pair);
                    sums[3].add(high8(second, none), pair);
                }
                let [a, b, c, d] = sums;
                let bytes = pack([a.rounded(), b.rounded(), c.rounded(), d.rounded()]);
                out[x..x + VECTOR].copy_from_slice(bytemuck::bytes_of(&bytes));
                if x == last {
                    break;
                }
                // The last vector may overlap the one before it: it computes the same bytes again.
                x = (x + VECTOR).min(last);
            }
        }
    };
}

/// Bytes to floats with vectors of one width, in steps of the same names for all.
macro_rules! floats {
    ($features:literal) => {
        /// Makes floats as [`floats`](crate::kernel::floats) does, by arithmetic; returns how many pixels from the left
        /// are done, and leaves the others.
        #[target_feature(enable = $features)]
        pub(in crate::kernel) fn floats(
            steps: &[Steps; CHANNELS],
            pixels: &[u8],
            mirror: bool,
            out: &mut [&mut [f32]; CHANNELS],
        ) -> usize {
            const PLACES: [[[u8; VECTOR]; CHANNELS]; 2] = planes();
            let (blocks, _) = pixels.as_chunks::<{ FLOATS * CHANNELS }>();
            let width = pixels.len() / CHANNELS;
            for (block, bytes) in blocks.iter().enumerate() {
                let at = if mirror { width - (block + 1) * FLOATS } else { block * FLOATS };
                let pixels = in_lanes(bytes, mirror);
                for ((plane, steps), places) in out.iter_mut().zip(steps).zip(&PLACES[usize::from(mirror)]) {
                    let bytes = shuffle8(pixels, bytemuck::cast(*places));
                    plane[at..at + FLOATS].copy_from_slice(&finished(bytes, steps));
                }
            }
            blocks.len() * FLOATS
        }
    };
}

pub(in crate::kernel) mod avx2;
pub(in crate::kernel) mod avx512;
mod gather;
mod lanes;

pub(in crate::kernel) use gather::Gather;
