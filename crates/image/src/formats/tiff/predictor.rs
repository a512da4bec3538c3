//! Samples that are stored as differences.

/// Undoes the differences of a row. `step` is the number of samples from one pixel to the next.
pub(super) fn undo(predictor: u64, row: &mut [u8], bits: usize, step: usize, big_endian: bool) {
    match (predictor, bits) {
        (2, 8) => sum::<1>(row, step, big_endian),
        (2, 16) => sum::<2>(row, step, big_endian),
        (2, 32) => sum::<4>(row, step, big_endian),
        (3, 32) => floats(row, step, big_endian),
        _ => {}
    }
}

/// Adds to each sample of `N` bytes the one a pixel before it.
fn sum<const N: usize>(row: &mut [u8], step: usize, big_endian: bool) {
    let (samples, _) = row.as_chunks_mut::<N>();
    for at in step..samples.len() {
        let mut carry = 0;
        for byte in 0..N {
            let place = if big_endian { N - 1 - byte } else { byte };
            carry += u16::from(samples[at][place]) + u16::from(samples[at - step][place]);
            samples[at][place] = carry as u8;
            carry >>= 8;
        }
    }
}

/// The bytes of floats are stored apart, all highest ones first, as differences.
fn floats(row: &mut [u8], step: usize, big_endian: bool) {
    sum::<1>(row, step, big_endian);
    let apart = row.to_vec();
    let count = row.len() / 4;
    for (place, sample) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *sample = [0, 1, 2, 3].map(|byte| apart[byte * count + place]);
        if !big_endian {
            sample.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_summed_up_by_pixel() {
        let mut row = [1, 2, 3, 1, 1, 255];
        undo(2, &mut row, 8, 3, false);
        assert_eq!(row, [1, 2, 3, 2, 3, 2]);
        let mut row = [0, 255, 0, 1];
        undo(2, &mut row, 16, 1, true);
        assert_eq!(row, [0, 255, 1, 0]);
        let mut row = [255, 0, 1, 0];
        undo(2, &mut row, 16, 1, false);
        assert_eq!(row, [255, 0, 0, 1]);
        // 1.0 and 2.0: 3f800000 and 40000000.
        let mut row = [0x3f, 1, 0x40, 0x80, 0, 0, 0, 0];
        undo(3, &mut row, 32, 1, true);
        assert_eq!(row, [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]);
    }
}
