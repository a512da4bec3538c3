//! The rows of a batch: where finished tensors are written, and a session reads them.
//!
//! On the CPU they are one piece of memory, of which a run reads as many rows as there are samples. An accelerator has
//! a tensor for each of a few numbers of samples, and a run takes the whole of the smallest that holds them:
//!
//! ```text
//! 5 samples, at most 12:   [1]   [2]   [4]   [8: a b c d e - - -]   [12]
//! ```
//!
//! What is behind the samples is computed too, and thrown away. An accelerator hardly takes longer for it, while each
//! new shape would make it choose algorithms and lay out memory anew. The tensors lie in page-locked memory, which the
//! GPU reads by itself while the thread goes on.

use headwater_types::Size;
use ort::memory::Allocator;
use ort::value::Tensor;

/// Rows of finished tensors: f32 `[samples, 3, h, w]`.
pub(crate) struct Rows {
    row: usize,
    memory: Memory,
}

enum Memory {
    Plain(Vec<f32>),
    /// Of 1, 2, 4, ... samples, up to the most; and which of them the batch lies in.
    Blocks(Vec<Tensor<f32>>, usize),
}

/// What a run reads.
pub(crate) enum Fed<'a> {
    /// Rows, as they lie in memory.
    Slice(&'a [f32]),
    /// A whole tensor.
    Block(&'a Tensor<f32>),
}

// === impl Rows ===

impl Rows {
    /// So many rows of so many floats, for the CPU.
    pub(crate) fn plain(row: usize, most: usize) -> Self {
        Self { row, memory: Memory::Plain(vec![0.0; row * most]) }
    }

    /// Tensors for up to so many samples of this size, in an allocator's memory, which the CPU can write.
    pub(crate) fn blocks(allocator: &Allocator, size: Size, most: usize) -> Result<Self, ort::Error> {
        let (height, width) = (size.height as usize, size.width as usize);
        let mut blocks = Vec::new();
        for samples in numbers(most) {
            let mut block = Tensor::<f32>::new(allocator, [samples, 3, height, width])?;
            // What an allocator gives may be anything.
            block.try_extract_tensor_mut::<f32>()?.1.fill(0.0);
            blocks.push(block);
        }
        Ok(Self { row: 3 * height * width, memory: Memory::Blocks(blocks, 0) })
    }

    /// Makes ready for a batch of at most so many samples.
    pub(crate) fn begin(&mut self, samples: usize) {
        if let Memory::Blocks(blocks, used) = &mut self.memory {
            *used = smallest(blocks, samples);
        }
    }

    /// A row of the batch, to be written.
    pub(crate) fn row_mut(&mut self, index: usize) -> &mut [f32] {
        let row = self.row;
        &mut self.all_mut()[index * row..][..row]
    }

    /// All rows of the batch, to be written.
    pub(crate) fn all_mut(&mut self) -> &mut [f32] {
        match &mut self.memory {
            Memory::Plain(rows) => rows,
            // That it can be extracted was seen when it was made.
            Memory::Blocks(blocks, used) => blocks[*used].extract_tensor_mut().1,
        }
    }

    /// What a run reads that is asked for so many samples from this row on: these, and maybe more behind them.
    pub(crate) fn fed(&self, first: usize, samples: usize) -> Fed<'_> {
        let (rows, samples) = match &self.memory {
            Memory::Plain(rows) => (&rows[..], samples),
            Memory::Blocks(blocks, used) => {
                let smallest = smallest(blocks, samples);
                if first == 0 && smallest == *used {
                    return Fed::Block(&blocks[*used]);
                }
                // Some samples could not be finished, or each is run alone after a batch that failed.
                (blocks[*used].extract_tensor().1, samples_of(&blocks[smallest]))
            }
        };
        let rows = &rows[first * self.row..];
        Fed::Slice(&rows[..(samples * self.row).min(rows.len())])
    }

    /// The numbers of samples that are run, other than any number.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        match &self.memory {
            Memory::Plain(_) => Vec::new(),
            Memory::Blocks(blocks, _) => blocks.iter().map(samples_of).collect(),
        }
    }
}

/// The smallest tensor that holds so many samples.
fn smallest(blocks: &[Tensor<f32>], samples: usize) -> usize {
    blocks.iter().position(|block| samples_of(block) >= samples).unwrap_or(blocks.len() - 1)
}

fn samples_of(block: &Tensor<f32>) -> usize {
    block.shape().first().map_or(0, |&samples| usize::try_from(samples).unwrap_or(0))
}

/// The powers of two below the most, and the most.
fn numbers(most: usize) -> Vec<usize> {
    let powers = (0..usize::BITS).map(|power| 1 << power).take_while(|&power| power < most);
    powers.chain([most]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_number_for_every_batch_and_few_of_them() {
        for (most, expected) in [(1, &[1][..]), (2, &[1, 2]), (8, &[1, 2, 4, 8]), (12, &[1, 2, 4, 8, 12])] {
            assert_eq!(numbers(most), expected);
        }
    }

    #[test]
    #[ignore = "loads ONNX Runtime: `session` runs it in a process of its own"]
    fn a_run_reads_the_smallest_tensor_that_holds_its_samples() {
        let Ok(_runtime) = crate::runtime::Runtime::load(None) else { return println!("skipped: no ONNX Runtime") };
        let mut rows = Rows::blocks(&Allocator::default(), Size { width: 1, height: 1 }, 12).unwrap();
        assert_eq!(rows.numbers(), [1, 2, 4, 8, 12]);
        rows.begin(5);
        (0..8).for_each(|sample| rows.row_mut(sample).fill(sample as f32));
        let fed = |first, samples| match rows.fed(first, samples) {
            Fed::Block(block) => ("block", block.extract_tensor().1.iter().step_by(3).copied().collect::<Vec<_>>()),
            Fed::Slice(slice) => ("slice", slice.iter().step_by(3).copied().collect()),
        };
        let all: Vec<_> = (0..8).map(|sample| sample as f32).collect();
        assert_eq!(fed(0, 5), ("block", all.clone()));
        assert_eq!(fed(0, 3), ("slice", all[..4].to_vec()));
        assert_eq!([fed(0, 1), fed(4, 1)], [("slice", vec![0.0]), ("slice", vec![4.0])]);
    }
}
