//! The numbers of a frame's layout, as the parent draws it.

/// Bytes before the checks.
pub(super) const HEADER: usize = 64;
pub(super) const MAGIC: &[u8; 8] = b"HWFRAME\x02";
/// What the checksum is over begins here.
pub(super) const CHECKED: usize = 16;
/// Bytes of payload under one check: less would cost more in checks, more would be read in vain.
pub(super) const CHUNK: usize = 16 << 10;
pub(super) const CHECK: usize = size_of::<u64>();
pub(super) const BYTES: u8 = 0;
pub(super) const REFUSED: u8 = 1;

/// Bytes that an entry with a payload of so many bytes takes in its file.
pub(crate) fn file_length(payload: u64) -> u64 {
    let checks = payload.div_ceil(CHUNK as u64) * CHECK as u64;
    (HEADER as u64 + checks).saturating_add(payload)
}

/// Bytes of payload in a file of this length; 0 for one that no frame has.
pub(crate) fn payload_length(file: u64) -> u64 {
    let Some(behind) = file.checked_sub(HEADER as u64) else { return 0 };
    let payload = behind - behind.div_ceil((CHUNK + CHECK) as u64) * CHECK as u64;
    if file_length(payload) == file { payload } else { 0 }
}

/// Bytes of header and checks before a payload of this length.
pub(super) fn front_length(payload: usize) -> usize {
    HEADER.saturating_add(payload.div_ceil(CHUNK).saturating_mul(CHECK))
}
