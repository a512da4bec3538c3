//! CMYK to RGB as Pillow does it: the stored values are taken as inverted, then ink is subtracted from paper.

/// `stored` is what the file holds, 4 bytes a pixel; `rgb` gets 3.
pub(super) fn to_rgb(stored: &[u8], rgb: &mut [u8]) {
    let (stored, _) = stored.as_chunks::<4>();
    let (rgb, _) = rgb.as_chunks_mut::<3>();
    for (&[c, m, y, k], out) in stored.iter().zip(rgb) {
        // Pillow's file plugin inverts all four (`CMYK;I`), and its conversion inverts black again.
        *out = [c, m, y].map(|ink| subtract(255 - ink, k));
    }
}

/// A colour: ink on paper that black ink has darkened. Pillow's
/// `CLIP8(nk - MULDIV255(ink, nk))`: never below 0, as `ink` is at most 255.
pub(super) fn subtract(ink: u8, paper: u8) -> u8 {
    let product = u32::from(ink) * u32::from(paper) + 128;
    let covered = ((product >> 8) + product) >> 8;
    paper.saturating_sub(covered as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_is_white_and_black_is_black() {
        let mut rgb = [0; 12];
        // Inverted: 255 is no ink.
        to_rgb(&[255, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255, 255, 128, 255, 0, 200], &mut rgb);
        assert_eq!(rgb, [255, 255, 255, 0, 0, 0, 0, 255, 255, 100, 200, 0]);
    }
}
