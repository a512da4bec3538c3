//! Datasets of a kind: photos of one size in bytes and pixels, drawn once and written many times.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use headwater_testdata::{Encoding, Picture, Texture};

/// What photos there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Photos {
    /// The dataset's folder.
    pub(crate) name: &'static str,
    pub(crate) count: usize,
    /// In pixels.
    pub(crate) width: u32,
    /// In pixels.
    pub(crate) height: u32,
    /// Of each file; comments fill it. 0: as it comes.
    pub(crate) file_bytes: usize,
}

/// Files of one class.
const PER_CLASS: usize = 16;
/// Most bytes of a JPEG's comment, its length's own two included.
const COMMENT: usize = 65_535;
/// A marker and a length.
const COMMENT_HEAD: usize = 4;
const START: usize = 2;

// === impl Photos ===

impl Photos {
    /// Photos as a camera of 20 megapixels makes them: 60 MB of pixels each.
    pub(crate) const fn large(count: usize) -> Self {
        Self { name: "large", count, width: 5472, height: 3648, file_bytes: 0 }
    }

    /// A side of 1024 pixels: 3 MB of pixels each.
    pub(crate) const fn middle(count: usize) -> Self {
        Self { name: "middle", count, width: 1024, height: 1024, file_bytes: 0 }
    }

    /// Small pictures in files of 450 kB.
    pub(crate) const fn long_files(count: usize) -> Self {
        Self { name: "long-files", count, width: 640, height: 480, file_bytes: 450_000 }
    }

    /// A file of 62 MiB, near the most that a stored object may have.
    pub(crate) const fn largest_files(count: usize) -> Self {
        Self { name: "largest-files", count, width: 1024, height: 1024, file_bytes: 62 << 20 }
    }

    /// Writes them below a folder, unless they are there; gives the dataset's folder.
    pub(crate) fn write(&self, below: &Path) -> Result<PathBuf> {
        let folder = below.join(format!("{}-{}", self.name, self.count));
        if folder.exists() {
            return Ok(folder);
        }
        let unfinished = folder.with_extension("unfinished");
        // Two pictures in turn: neither all alike, nor minutes of drawing.
        let drawn: [Vec<u8>; 2] = [self.file(1)?, self.file(2)?];
        for number in 0..self.count {
            let class = unfinished.join(format!("class-{:03}", number / PER_CLASS));
            fs::create_dir_all(&class)?;
            fs::write(class.join(format!("{number:05}.jpg")), &drawn[number % 2])?;
        }
        fs::rename(&unfinished, &folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }

    fn file(&self, seed: u64) -> Result<Vec<u8>> {
        let picture = Picture::of(Texture::Rings, self.width, self.height, seed);
        fill(&Encoding::JPEG.encode(&picture)?, self.file_bytes)
    }
}

/// The JPEG with comments, so that it has so many bytes.
fn fill(jpeg: &[u8], bytes: usize) -> Result<Vec<u8>> {
    if bytes == 0 {
        return Ok(jpeg.to_vec());
    }
    ensure!(jpeg.len() + COMMENT_HEAD <= bytes, "a picture of {} bytes does not fit into {bytes}", jpeg.len());
    let (start, rest) = jpeg.split_at(START);
    let mut file = start.to_vec();
    while bytes - file.len() - rest.len() >= COMMENT_HEAD {
        let whole = (bytes - file.len() - rest.len()).min(COMMENT + START);
        file.extend([0xff, 0xfe]);
        file.extend(((whole - START) as u16).to_be_bytes());
        file.resize(file.len() + whole - COMMENT_HEAD, b' ');
    }
    file.extend(rest);
    Ok(file)
}
