//! Memory that is beside `--memory`, and used by few servers: pages of Parquet files, features of trainings.

use headwater_cache::memory_limit;
use headwater_types::ByteCount;

/// In a container such memory is at most this part of its limit, where nobody says how much it is: with the default of
/// `--memory` and all of it used, the limit is not reached.
const PART: u64 = 8;

/// What a default is where this process runs.
pub(crate) fn by_default(usual: ByteCount) -> ByteCount {
    within(usual, memory_limit())
}

fn within(usual: ByteCount, limit: Option<ByteCount>) -> ByteCount {
    limit.map_or(usual, |limit| ByteCount::new(limit.get() / PART).min(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_container_makes_the_default_smaller_and_a_large_one_leaves_it() {
        let usual = ByteCount::mebibytes(256);
        assert_eq!(within(usual, None), usual);
        assert_eq!(within(usual, Some(ByteCount::mebibytes(512))), ByteCount::mebibytes(64));
        assert_eq!(within(usual, Some(ByteCount::mebibytes(64 << 10))), usual);
    }
}
