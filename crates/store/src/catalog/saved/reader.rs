//! Reads numbers, texts and columns, and refuses counts that the rest of the bytes cannot hold before it takes memory
//! for them.

use std::io::{self, Read};

use crate::kept::damaged;

/// Bytes that are still to be read, of which there are so many.
pub(super) struct Reader<'a> {
    from: &'a mut dyn Read,
    left: u64,
}

/// Bytes of a column that are read at once.
const CHUNK: usize = 1 << 18;

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(from: &'a mut dyn Read, left: u64) -> Self {
        Self { from, left }
    }

    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.take(N as u64)?;
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> io::Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> io::Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn flag(&mut self) -> io::Result<bool> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(damaged("a flag is neither yes nor no")),
        }
    }

    /// The number of things that follow, of which each has at least so many bytes.
    pub(super) fn count(&mut self, each: u64, most: u64) -> io::Result<usize> {
        let count = self.u64()?;
        let fits = count <= most && count.checked_mul(each).is_some_and(|bytes| bytes <= self.left);
        if fits { usize::try_from(count).map_err(io::Error::other) } else { Err(damaged("a count is too high")) }
    }

    /// So many things as a count says, of which each has at least so many bytes.
    pub(super) fn many<T>(
        &mut self,
        each: u64,
        most: usize,
        mut read: impl FnMut(&mut Self) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        let count = self.count(each, most as u64)?;
        (0..count).map(|_| read(self)).collect()
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        let len = self.count(1, u64::MAX)?;
        String::from_utf8(self.bytes(len)?).map_err(|_| damaged("a text is not UTF-8"))
    }

    pub(super) fn bytes(&mut self, len: usize) -> io::Result<Vec<u8>> {
        self.take(len as u64)?;
        let mut bytes = vec![0; len];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// So many values of `N` bytes each.
    pub(super) fn column<const N: usize, T>(
        &mut self,
        count: usize,
        mut value: impl FnMut([u8; N]) -> io::Result<T>,
    ) -> io::Result<Vec<T>> {
        self.take(count as u64 * N as u64)?;
        let mut column = Vec::with_capacity(count);
        let mut chunk = vec![0; CHUNK / N * N];
        while column.len() < count {
            let bytes = ((count - column.len()) * N).min(chunk.len());
            self.from.read_exact(&mut chunk[..bytes])?;
            for bytes in chunk[..bytes].as_chunks::<N>().0 {
                column.push(value(*bytes)?);
            }
        }
        Ok(column)
    }

    /// Whether all was read.
    pub(super) fn finish(self) -> io::Result<()> {
        if self.left == 0 { Ok(()) } else { Err(damaged("there are bytes behind the end")) }
    }

    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| damaged("it is cut off"))?;
        Ok(())
    }
}
