//! IDX, the format of MNIST: a number that says the type and the dimensions, the dimensions, and the values.
//!
//! ```text
//! 0 │ 0 │ type: 8 is u8 │ number of dimensions │ each dimension, 4 bytes, the highest first │ values
//! ```
//!
//! Format: <http://yann.lecun.com/exdb/mnist/>

use super::grid::Grid;

/// The type of whole numbers from 0 to 255.
const U8: u8 = 8;
const MOST_DIMENSIONS: usize = 4;

/// The longest header that is read.
pub(super) const LONGEST: u64 = 4 + 4 * MOST_DIMENSIONS as u64;

/// The photos of a file that begins with these bytes and has so many.
pub(super) fn photos(head: &[u8], size: u64) -> Result<Grid, String> {
    let (start, shape) = shape(head)?;
    Grid::new(start, &shape, size)
}

/// The labels in a file: one number for each photo.
pub(super) fn labels(file: &[u8]) -> Result<&[u8], String> {
    let (start, shape) = shape(file)?;
    let labels = file.get(start as usize..).unwrap_or_default();
    match *shape {
        [count] if count == labels.len() as u64 => Ok(labels),
        [count] => Err(format!("it has {} labels, and its header says {count}", labels.len())),
        _ => Err(format!("its shape is {shape:?}, and that of labels is [n]")),
    }
}

/// Where the values begin, and the dimensions.
fn shape(head: &[u8]) -> Result<(u64, Vec<u64>), String> {
    let [0, 0, kind, dimensions, rest @ ..] = head else {
        return Err("it does not begin as IDX does".to_owned());
    };
    if *kind != U8 {
        return Err(format!("its values are of type {kind:#04x}, and photos and labels are bytes (0x08)"));
    }
    let dimensions = usize::from(*dimensions);
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(format!("it has {dimensions} dimensions"));
    }
    let sizes = rest.get(..4 * dimensions).ok_or("it ends in its header")?;
    let shape = sizes.as_chunks().0.iter().map(|size| u64::from(u32::from_be_bytes(*size)));
    Ok((4 + 4 * dimensions as u64, shape.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_follows_and_nothing_else_is_taken() {
        let head = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
        let grid = photos(&head, 16 + 24).unwrap();
        assert_eq!((grid.count, grid.range(1), grid.range(2)), (2, Some(28..40), None));
        assert_eq!((grid.header().as_str(), grid.length()), ("P5\n4 3\n255\n", 11 + 12));
        for (head, size, said) in [
            (&head[..], 39, "its header says 40"),
            (&head[..15], 40, "ends in its header"),
            (&[0, 0, 13, 3][..], 4, "type 0x0d"),
            (&[0, 0, 8, 9][..], 4, "9 dimensions"),
            (&[0, 0, 8, 1, 0, 0, 0, 9][..], 8, "its shape is [9]"),
            (&[31, 139, 8, 0][..], 4, "does not begin as IDX"),
            (&[0, 0, 8, 3, 255, 255, 255, 255, 0, 15, 0, 0, 0, 15, 0, 0][..], 16, "its header says"),
        ] {
            let error = photos(head, size).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn labels_are_as_many_as_the_header_says() {
        assert_eq!(labels(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), Ok(&[7, 9][..]));
        assert!(labels(&[0, 0, 8, 1, 0, 0, 0, 3, 7, 9]).is_err());
        assert!(labels(&[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5]).is_err());
    }
}
