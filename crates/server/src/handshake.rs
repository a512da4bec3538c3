//! The first words of a gRPC connection: HTTP/2's preface and its first frame (RFC 9113, 3.4).
//!
//! ```text
//! "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"   24 bytes, always the same
//! length:24 type:8 flags:8 stream:32   the head of the first frame, which is to be SETTINGS
//! length bytes                         the settings
//! ```
//!
//! No byte behind them is read. HTTP/2 judges what they say: here they only tell a client from a socket that says
//! nothing.

use tokio::io::{AsyncRead, AsyncReadExt as _};

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of the preface and the head of the first frame.
const HEAD: usize = PREFACE.len() + 9;
/// Bytes of a hundred settings, where HTTP/2 has ten. HTTP/2 judges a longer frame.
const MOST: usize = 600;

/// Why a connection's first words did not come.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// The peer has hung up.
    Gone,
    /// The peer speaks something else.
    NotHttp2,
}

/// Waits for the first words, and gives them, since HTTP/2 is to read them again.
pub(crate) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Unheard> {
    let mut said = Vec::with_capacity(2 * HEAD);
    loop {
        match missing(&said).ok_or(Unheard::NotHttp2)? {
            0 => return Ok(said),
            missing => match (&mut *stream).take(missing as u64).read_buf(&mut said).await {
                Ok(0) | Err(_) => return Err(Unheard::Gone),
                Ok(_) => {}
            },
        }
    }
}

/// Least bytes that are to come after these; `None` where these are not HTTP/2's.
fn missing(said: &[u8]) -> Option<usize> {
    let known = said.len().min(PREFACE.len());
    if said[..known] != PREFACE[..known] {
        return None;
    }
    let Some(&[a, b, c]) = said.get(PREFACE.len()..).and_then(<[u8]>::first_chunk) else {
        return Some(HEAD - said.len());
    };
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    Some((HEAD + if length > MOST { 0 } else { length }).saturating_sub(said.len()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    /// First words with so many bytes of settings.
    fn first_words(settings: u8) -> Vec<u8> {
        let mut words = PREFACE.to_vec();
        words.extend([0, 0, settings, 4, 0, 0, 0, 0, 0]);
        words.extend(std::iter::repeat_n(7, settings.into()));
        words
    }

    #[tokio::test]
    async fn the_first_words_are_heard_whole_and_no_byte_behind_them() {
        for settings in [0, 6, 36] {
            let (mut near, mut far) = duplex(1024);
            let words = first_words(settings);
            far.write_all(&[&words[..], b"behind"].concat()).await.unwrap();
            assert_eq!(hear(&mut near).await.unwrap(), words);
            let mut behind = [0; 6];
            near.read_exact(&mut behind).await.unwrap();
            assert_eq!(&behind, b"behind");
        }
    }

    #[tokio::test]
    async fn a_byte_at_a_time_is_as_good_and_a_missing_one_is_waited_for() {
        let (words, (mut near, mut far)) = (first_words(6), duplex(1024));
        let hearing = tokio::spawn(async move { hear(&mut near).await });
        for byte in &words[..words.len() - 1] {
            far.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(!hearing.is_finished());
        far.write_all(&words[words.len() - 1..]).await.unwrap();
        assert_eq!(hearing.await.unwrap().unwrap(), words);
    }

    #[tokio::test]
    async fn what_is_something_else_is_told_at_its_first_byte() {
        for other in [&b"G"[..], b"PRI * HTTP/1.1", &[0x16, 3, 1]] {
            let (mut near, mut far) = duplex(1024);
            far.write_all(other).await.unwrap();
            assert!(matches!(hear(&mut near).await, Err(Unheard::NotHttp2)), "{other:?}");
        }
        let (mut near, far) = duplex(1024);
        drop(far);
        assert!(matches!(hear(&mut near).await, Err(Unheard::Gone)));
    }
}
