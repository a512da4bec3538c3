//! Columns of numbers as planes of bytes: first the lowest byte of each, then the next. What is alike lies together,
//! and packs.

/// Appends the planes of numbers of `N` bytes.
pub(crate) fn write<const N: usize>(numbers: &(impl Iterator<Item = [u8; N]> + Clone), out: &mut Vec<u8>) {
    for plane in 0..N {
        out.extend(numbers.clone().map(|number| number[plane]));
    }
}

/// So many numbers from the front of bytes, and what is behind them.
pub(crate) fn read<const N: usize>(bytes: &[u8], count: usize) -> Option<(impl Iterator<Item = [u8; N]>, &[u8])> {
    let (planes, behind) = bytes.split_at_checked(count.checked_mul(N)?)?;
    let planes: [&[u8]; N] = std::array::from_fn(|plane| &planes[plane * count..(plane + 1) * count]);
    let number = move |at: usize| std::array::from_fn(|plane| planes[plane][at]);
    Some(((0..count).map(number), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_their_planes_with_what_is_behind_them() {
        let numbers = [0x0403_0201_u32, 0x1413_1211];
        let mut bytes = Vec::new();
        write(&numbers.iter().map(|number| number.to_le_bytes()), &mut bytes);
        assert_eq!(bytes, [0x01, 0x11, 0x02, 0x12, 0x03, 0x13, 0x04, 0x14]);
        bytes.push(9);
        let (read_back, behind) = read::<4>(&bytes, 2).unwrap();
        assert!(read_back.map(u32::from_le_bytes).eq(numbers));
        assert_eq!(behind, [9]);
        assert!(read::<4>(&bytes, 3).is_none());
        assert!(read::<4>(&bytes, usize::MAX).is_none());
    }
}
