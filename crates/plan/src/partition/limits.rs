//! What a plan may have at most.

/// Most servers of a fleet.
pub(super) const MAX_SERVERS: usize = 1024;
