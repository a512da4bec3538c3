//! NumPy's file of one array: a magic, a version, and the type and shape as the text of a Python dictionary.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use super::grid::Grid;

const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest header that is read. NumPy itself reads no longer ones from files that it does not trust.
pub(super) const LONGEST: u64 = 10_000 + 12;

/// The photos of a file that begins with these bytes and has so many.
pub(super) fn photos(head: &[u8], size: u64) -> Result<Grid, String> {
    let (start, text) = header(head)?;
    let value = |name: &str| {
        let rest = text.split_once(&format!("'{name}':")).map(|(_, rest)| rest.trim_start());
        rest.ok_or_else(|| format!("its header has no {name}"))
    };
    let kind = value("descr")?;
    if !["'|u1'", "'<u1'", "'>u1'", "'u1'"].iter().any(|known| kind.starts_with(known)) {
        let kind = kind.split(',').next().unwrap_or_default();
        return Err(format!(
            "its values are {kind}, and pixels are u1: numpy.save(\"photos.npy\", array.astype(\"u1\"))"
        ));
    }
    if !value("fortran_order")?.starts_with("False") {
        let fix = "numpy.save(\"photos.npy\", numpy.ascontiguousarray(array))";
        return Err(format!("its pixels are in Fortran's order, so that no photo is in one place: {fix}"));
    }
    let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(shape, _)| shape);
    let sizes = shape.ok_or("its header has no shape")?.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(str::parse).collect::<Result<Vec<u64>, _>>().map_err(|_| "its shape is none".to_owned())?;
    Grid::new(start, &shape, size)
}

/// Where the values begin, and the text of the header.
fn header(head: &[u8]) -> Result<(u64, &str), String> {
    let rest = head.strip_prefix(MAGIC).ok_or("it does not begin as NumPy's files do")?;
    let (start, length) = match rest {
        [1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        [version, ..] => return Err(format!("it is of version {version} of the format, and 1 to 3 are read")),
        [] => return Err("it ends in its header".to_owned()),
    };
    let text = head.get(start..).and_then(|rest| rest.get(..length));
    let text = text.ok_or("its header is longer than 10,000 bytes, or not whole")?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is no text".to_owned())?;
    Ok(((start + length) as u64, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let length = if version == 1 { &length[..2] } else { &length[..] };
        [MAGIC, &[version, 0], length, text.as_bytes()].concat()
    }

    #[test]
    fn every_version_and_shape_of_photos_is_read() {
        for version in [1, 2, 3] {
            for (shape, pixels, kind) in
                [("(5, 4, 3)", 60, "P5"), ("(5, 4, 3, 1)", 60, "P5"), ("(2, 2, 2, 3)", 24, "P6")]
            {
                let head =
                    file(version, &format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}  \n"));
                let grid = photos(&head, (head.len() + pixels) as u64).unwrap();
                assert!(grid.header().starts_with(kind));
                assert_eq!(grid.range(grid.count - 1).unwrap().end, (head.len() + pixels) as u64);
            }
        }
    }

    #[test]
    fn other_arrays_are_refused_with_the_line_that_converts_them() {
        for (text, said) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }", "array.astype(\"u1\")"),
            ("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2), }", "numpy.ascontiguousarray(array)"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", "array.reshape("),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2), }", "its header says"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 2, 2), }", "its shape is none"),
            ("{}", "its header has no descr"),
        ] {
            let error = photos(&file(1, text), 1000).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(photos(b"\x93NUMPY\x01\x00\xff\xff", 9).unwrap_err().contains("not whole"));
        assert!(photos(b"PK", 2).is_err());
    }
}
