//! Reads numbers, texts and columns, and refuses counts that the rest of the bytes cannot hold before it takes memory
//! for them.

use std::io::{self, Read};

use headwater_types::Digest;

/// Bytes that are still to be read, of which there are so many.
pub(crate) struct Reader<'a> {
    from: &'a mut dyn Read,
    left: u64,
}

/// Bytes of a column that are read at once.
const CHUNK: usize = 1 << 18;

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(from: &'a mut dyn Read, left: u64) -> Self {
        Self { from, left }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.take(N as u64)?;
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn digest(&mut self) -> io::Result<Digest> {
        let bytes: [u8; 32] = self.array()?;
        Digest::try_from(&bytes[..]).map_err(|_| damaged("a digest is none"))
    }

    pub(crate) fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn flag(&mut self) -> io::Result<bool> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(damaged("a flag is neither yes nor no")),
        }
    }

    /// The number of things that follow, of which each has at least so many bytes.
    pub(crate) fn count(&mut self, each: u64, most: u64) -> io::Result<usize> {
        let count = self.u64()?;
        let fits = count <= most && count.checked_mul(each).is_some_and(|bytes| bytes <= self.left);
        if fits { usize::try_from(count).map_err(io::Error::other) } else { Err(damaged("a count is too high")) }
    }

    /// So many things as a count says, of which each has at least so many bytes.
    pub(crate) fn many<T>(
        &mut self,
        each: u64,
        most: usize,
        mut read: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        let count = self.count(each, most as u64)?;
        (0..count).map(|_| read(self)).collect()
    }

    pub(crate) fn text(&mut self) -> io::Result<String> {
        let len = self.count(1, u64::MAX)?;
        String::from_utf8(self.bytes(len)?).map_err(|_| damaged("a text is not UTF-8"))
    }

    pub(crate) fn bytes(&mut self, len: usize) -> io::Result<Vec<u8>> {
        self.take(len as u64)?;
        let mut bytes = vec![0; len];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// So many values of `N` bytes each.
    pub(crate) fn column<const N: usize, T>(
        &mut self,
        count: usize,
        mut value: impl FnMut([u8; N]) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        let mut column = Vec::new();
        self.each(count, |bytes| {
            // Memory is taken once so many bytes are known to be there.
            if column.is_empty() {
                column.reserve_exact(count);
            }
            value(bytes).map(|value| column.push(value))
        })?;
        Ok(column)
    }

    /// Goes through so many values of `N` bytes each.
    pub(crate) fn each<const N: usize>(
        &mut self,
        count: usize,
        mut value: impl FnMut([u8; N]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.take(count as u64 * N as u64)?;
        let (mut left, mut chunk) = (count * N, vec![0; CHUNK / N * N]);
        while left > 0 {
            let bytes = left.min(chunk.len());
            self.from.read_exact(&mut chunk[..bytes])?;
            chunk[..bytes].as_chunks::<N>().0.iter().try_for_each(|bytes| value(*bytes))?;
            left -= bytes;
        }
        Ok(())
    }

    /// Whether all was read.
    pub(crate) fn finish(self) -> io::Result<()> {
        if self.left == 0 { Ok(()) } else { Err(damaged("there are bytes behind the end")) }
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| damaged("it is cut off"))?;
        Ok(())
    }
}

/// An error that says that something kept is not what was written.
pub(crate) fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
