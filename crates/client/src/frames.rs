//! Where a connection's bytes stand among HTTP/2's frames (RFC 9113, section 4.1):
//!
//! ```text
//!  length: 24 | type: 8 | flags: 8 | stream: 32 | payload: length bytes
//! ```
//!
//! Nothing is decoded, and nothing is refused: that is the HTTP/2 library's, which reads the same bytes.

/// A place in a stream of frames.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: [u8; HEADER],
    /// How many bytes of the header have come.
    have: usize,
    /// How many bytes of the payload have not come.
    left: usize,
}

const HEADER: usize = 9;
const DATA: u8 = 0;

// === impl Frames ===

impl Frames {
    /// Moves on by bytes that have come.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 && self.have < HEADER {
                let take = bytes.len().min(HEADER - self.have);
                self.header[self.have..self.have + take].copy_from_slice(&bytes[..take]);
                (self.have, bytes) = (self.have + take, &bytes[take..]);
                if self.have == HEADER {
                    let [a, b, c, ..] = self.header;
                    self.left = u32::from_be_bytes([0, a, b, c]) as usize;
                }
            } else {
                let take = bytes.len().min(self.left);
                (self.left, bytes) = (self.left - take, &bytes[take..]);
            }
            if self.have == HEADER && self.left == 0 {
                self.have = 0;
            }
        }
    }

    /// Whether a frame of data has begun and has not ended.
    pub(crate) fn within_data(&self) -> bool {
        self.left > 0 && self.header[3] == DATA
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let length_bytes = u32::try_from(length).unwrap().to_be_bytes();
        let mut bytes = length_bytes[1..].to_vec();
        bytes.extend([kind, 0xff, 0, 0, 0, 1]);
        bytes.extend(vec![0xa5; length]);
        bytes
    }

    proptest! {
        #[test]
        fn however_bytes_are_cut_it_is_known_whether_data_is_underway(
            frames in prop::collection::vec((0_u8..10, 0_usize..300), 1..20),
            cuts in prop::collection::vec(1_usize..200, 1..60),
        ) {
            let mut stream = Vec::new();
            // For each number of bytes that have come, whether a frame of data has begun and not ended.
            let mut within = vec![false];
            for (kind, length) in frames {
                let frame = frame(kind, length);
                within.extend((1..=frame.len()).map(|have| kind == DATA && have >= HEADER && have < frame.len()));
                stream.extend(frame);
            }
            let (mut state, mut at) = (Frames::default(), 0);
            for cut in cuts.into_iter().cycle() {
                let end = (at + cut).min(stream.len());
                state.pass(&stream[at..end]);
                prop_assert_eq!(state.within_data(), within[end], "after {} bytes", end);
                at = end;
                if at == stream.len() {
                    break;
                }
            }
        }
    }
}
