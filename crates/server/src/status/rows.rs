//! Rows of a list, which ends.

use headwater_types::caps::STATUS_ROWS;

/// The first rows, and how many are left out.
pub(super) fn rows<T>(all: impl Iterator<Item = T>, left_out: &mut usize) -> Vec<T> {
    let mut all = all.fuse();
    let rows = all.by_ref().take(STATUS_ROWS).collect();
    *left_out = all.count();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_and_says_how_many_rows_it_left_out() {
        let mut left_out = 0;
        assert_eq!(rows(0..STATUS_ROWS + 7, &mut left_out).len(), STATUS_ROWS);
        assert_eq!(left_out, 7);
        assert_eq!((rows(0..3, &mut left_out), left_out), (vec![0, 1, 2], 0));
    }
}
