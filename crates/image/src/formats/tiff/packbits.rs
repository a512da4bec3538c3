//! PackBits: runs and literals, by a signed byte.

/// Unpacks until `out` is full; what a run or literal has beyond it is left out. `None` where the bytes end before.
pub(super) fn unpack(mut bytes: &[u8], out: &mut [u8]) -> Option<()> {
    let mut done = 0;
    while done < out.len() {
        let (&count, rest) = bytes.split_first()?;
        bytes = rest;
        match count {
            128 => {}
            0..128 => {
                let length = (usize::from(count) + 1).min(out.len() - done);
                out[done..done + length].copy_from_slice(bytes.get(..length)?);
                bytes = &bytes[length..];
                done += length;
            }
            _ => {
                let (&value, rest) = bytes.split_first()?;
                let length = (257 - usize::from(count)).min(out.len() - done);
                out[done..done + length].fill(value);
                bytes = rest;
                done += length;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_are_unpacked_and_what_ends_early_is_none() {
        let packed = [254, 7, 128, 1, 8, 9, 255, 1];
        let mut out = [0; 6];
        assert_eq!(unpack(&packed, &mut out), Some(()));
        assert_eq!(out, [7, 7, 7, 8, 9, 1]);
        assert_eq!(unpack(&packed[..4], &mut out), None);
        assert_eq!(unpack(&packed, &mut [0; 8]), None);
    }
}
