//! Ranges of the target that are one stream of bytes together, and the ranges of the base that they are held against.

/// A range of the target, and where its counterpart in the base begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) target: usize,
    /// 0 for a run that has no counterpart.
    pub(crate) base: usize,
    pub(crate) length: usize,
}

/// A place in a stream of runs.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    runs: &'a [Run],
    /// Bytes of the first run that have been passed.
    passed: usize,
}

// === impl Run ===

impl Run {
    pub(crate) fn of_base<'a>(&self, base: &'a [u8]) -> &'a [u8] {
        &base[self.base..self.base + self.length]
    }

    pub(crate) fn of_target<'a>(&self, target: &'a [u8]) -> &'a [u8] {
        &target[self.target..self.target + self.length]
    }
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    /// The beginning of a stream.
    pub(crate) fn new(runs: &'a [Run]) -> Self {
        Self { runs, passed: 0 }
    }

    /// Bytes from here to the end.
    pub(crate) fn left(&self) -> usize {
        self.runs.iter().map(|run| run.length).sum::<usize>() - self.passed
    }

    /// Passes so many bytes, which must be there, and collects those of the base.
    pub(crate) fn gather_base(&mut self, base: &[u8], out: &mut [u8]) {
        self.pass(out.len(), |run, at| out[at..at + run.length].copy_from_slice(run.of_base(base)));
    }

    /// Passes so many bytes, which must be there, and collects those of the target.
    pub(crate) fn gather_target(&mut self, target: &[u8], out: &mut [u8]) {
        self.pass(out.len(), |run, at| out[at..at + run.length].copy_from_slice(run.of_target(target)));
    }

    /// Passes as many bytes as there are here, and brings these to where they lie in the target.
    pub(crate) fn scatter(&mut self, bytes: &[u8], target: &mut [u8]) {
        self.pass(bytes.len(), |run, at| {
            target[run.target..run.target + run.length].copy_from_slice(&bytes[at..at + run.length]);
        });
    }

    /// Passes bytes run by run; each comes with the number of bytes before it.
    fn pass(&mut self, length: usize, mut each: impl FnMut(Run, usize)) {
        let mut at = 0;
        while let [first, rest @ ..] = self.runs
            && at < length
        {
            let taken = (first.length - self.passed).min(length - at);
            each(Run { target: first.target + self.passed, base: first.base + self.passed, length: taken }, at);
            at += taken;
            self.passed += taken;
            if self.passed == first.length {
                (self.runs, self.passed) = (rest, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gathered_in_pieces_lies_where_it_was_after_it_is_scattered() {
        let bytes: Vec<u8> = (0..40).collect();
        let runs = [Run { target: 3, base: 30, length: 5 }, Run { target: 20, base: 0, length: 9 }];
        let (mut from, mut to) = (Cursor::new(&runs), Cursor::new(&runs));
        let mut target = vec![0; 40];
        for length in [2, 6, 6] {
            let mut piece = vec![0; length];
            from.gather_base(&bytes, &mut piece);
            to.scatter(&piece, &mut target);
        }
        assert_eq!((from.left(), &target[3..8], &target[20..29]), (0, &bytes[30..35], &bytes[..9]));
        let mut all = vec![0; 14];
        Cursor::new(&runs).gather_target(&target, &mut all);
        assert_eq!(all, [&bytes[30..35], &bytes[..9]].concat());
    }
}
