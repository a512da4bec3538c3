//! Files that a server must survive: broken, lying about their size, not what their name says, or not files at all.

mod jpeg;
mod png;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::dice::Dice;
use crate::encode::{Encoding, Sampling};
use crate::picture::Picture;
use crate::texture::Texture;

/// Something hostile in a dataset's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostileFile {
    /// The file's path below the folder.
    pub path: PathBuf,
    /// What a good server does with it.
    pub expectation: Expectation,
}

/// What a good server does with a hostile file. Whatever it is: no crash, no hang, no other sample touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The file is one of the samples, and fails with a typed failure.
    Fails,
    /// The file is one of the samples, and decoders may in good faith deliver it or refuse it.
    MayDecode,
    /// The file is none of this dataset: nothing is ever read through it.
    NeverRead,
}

/// Bytes outside the dataset that its links point to: if they turn up anywhere, the root was left.
pub const SECRET: &[u8] = b"outside the dataset: nobody may read this";

/// Writes hostile files into `folder/data`, and what their links point to into `folder/outside`. Gives the files, with
/// paths below `folder/data`.
pub fn write(folder: &Path) -> anyhow::Result<Vec<HostileFile>> {
    let (data, outside) = (folder.join("data"), folder.join("outside"));
    for folder in [&data, &outside] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut written = Vec::new();
    for (name, expectation, content) in contents()? {
        fs::write(data.join(&name), content).with_context(|| format!("cannot write {name}"))?;
        written.push(HostileFile { path: name.into(), expectation });
    }
    written.extend(not_files(&data, &outside).context("cannot make links and pipes")?);
    Ok(written)
}

/// Every hostile content: a file name, what is expected of it, its bytes.
pub fn contents() -> anyhow::Result<Vec<(String, Expectation, Vec<u8>)>> {
    use Expectation::{Fails, MayDecode};

    let picture = Picture::of(Texture::Rings, 160, 120, 9);
    let baseline = Encoding::JPEG.encode(&picture)?;
    let progressive = Encoding::Jpeg { quality: 85, sampling: Sampling::S444, progressive: true }.encode(&picture)?;
    let lossless = Encoding::Png.encode(&picture)?;
    let webp = Encoding::WebP.encode(&picture)?;

    let mut files: Vec<(String, Expectation, Vec<u8>)> = vec![
        ("empty.jpg".to_owned(), Fails, Vec::new()),
        ("one-byte.png".to_owned(), Fails, vec![0x89]),
        ("text.jpg".to_owned(), Fails, b"This is a text, whatever its name says.\n".repeat(40)),
        ("gif.jpg".to_owned(), Fails, b"GIF89a\xff\xff\xff\xff\xf7\0\0".to_vec()),
        ("noise.jpg".to_owned(), Fails, noise(b"\xff\xd8\xff\xe0", 4096)),
        ("noise.png".to_owned(), Fails, noise(b"\x89PNG\r\n\x1a\n", 4096)),
        ("noise.webp".to_owned(), Fails, noise(b"RIFF\xff\x0f\0\0WEBPVP8L", 4096)),
        ("bomb.jpg".to_owned(), Fails, jpeg::with_size(&baseline, 65_500, 65_500)),
        ("no-width.jpg".to_owned(), Fails, jpeg::with_size(&baseline, 0, 120)),
        ("bomb.png".to_owned(), Fails, png::with_size(&lossless, 65_500, 65_500)),
        ("no-width.png".to_owned(), Fails, png::with_size(&lossless, 0, 120)),
        ("bomb.webp".to_owned(), Fails, webp_with_size(&webp, 16_383, 16_383)),
        // The largest size there is: image-webp 0.2 adds 1 before it masks, and so takes it for 0 x 0.
        ("largest.webp".to_owned(), Fails, webp_with_size(&webp, 16_384, 16_384)),
        ("scans.jpg".to_owned(), Fails, jpeg::many_scans(3000)?),
        ("wrong-crc.png".to_owned(), Fails, png::with_wrong_crc(&lossless)),
        ("chunks.png".to_owned(), MayDecode, png::with_many_chunks(&lossless, 50_000)),
        ("trailing.jpg".to_owned(), MayDecode, [baseline.as_slice(), SECRET].concat()),
    ];
    for (name, file) in
        [("baseline.jpg", &baseline), ("progressive.jpg", &progressive), ("png.png", &lossless), ("webp.webp", &webp)]
    {
        for percent in [10, 50, 95] {
            let kept = file[..file.len() * percent / 100].to_vec();
            // A decoder may fill in what is missing at the end of a JPEG, as browsers do.
            let expectation = if name.ends_with("jpg") { MayDecode } else { Fails };
            files.push((format!("cut-{percent}-{name}"), expectation, kept));
        }
        files.push((format!("flipped-{name}"), MayDecode, flipped(file)));
    }
    Ok(files)
}

/// Links out of the root, links in a circle, a pipe that would block for ever, a folder named like a photo.
fn not_files(data: &Path, outside: &Path) -> anyhow::Result<Vec<HostileFile>> {
    let secret = outside.join("secret.jpg");
    fs::write(&secret, SECRET)?;
    let links: [(&str, &Path); 5] = [
        ("link-relative.jpg", Path::new("../outside/secret.jpg")),
        ("link-absolute.jpg", &std::path::absolute(&secret)?),
        ("link-folder", Path::new("../outside")),
        ("link-circle.jpg", Path::new("link-circle.jpg")),
        ("link-nowhere.jpg", Path::new("nothing-here.jpg")),
    ];
    for (name, target) in links {
        let link = data.join(name);
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(target, &link)?;
    }
    let pipe = data.join("pipe.jpg");
    if pipe.symlink_metadata().is_err() {
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    }
    fs::create_dir_all(data.join("folder.jpg"))?;
    let names =
        links.into_iter().map(|(name, _)| OsStr::new(name)).chain([OsStr::new("pipe.jpg"), OsStr::new("folder.jpg")]);
    Ok(names.map(|name| HostileFile { path: name.into(), expectation: Expectation::NeverRead }).collect())
}

fn noise(magic: &[u8], length: usize) -> Vec<u8> {
    let mut dice = Dice::new(5, "noise");
    magic.iter().copied().chain(std::iter::repeat_with(move || dice.byte())).take(length).collect()
}

/// With a bit changed in every 64 bytes or so, after the header.
fn flipped(file: &[u8]) -> Vec<u8> {
    let mut dice = Dice::new(6, "flipped");
    let mut file = file.to_vec();
    let mut place = file.len() / 3;
    while let Some(byte) = file.get_mut(place) {
        *byte ^= 1 << dice.whole(0, 7);
        place += dice.whole(1, 128) as usize;
    }
    file
}

/// A lossless WebP that claims another size: 14 bits each, less one, after the signature byte of the VP8L chunk.
fn webp_with_size(file: &[u8], width: u32, height: u32) -> Vec<u8> {
    const SIZE: usize = 21;
    let bits = ((width - 1) & 0x3fff) | ((height - 1) & 0x3fff) << 14;
    [&file[..SIZE], &bits.to_le_bytes(), &file[SIZE + 4..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lying_header_is_read_as_the_lie_that_it_tells() {
        let contents = contents().unwrap();
        let file = |name: &str| &contents.iter().find(|(known, ..)| known == name).unwrap().2;
        let size = |name: &str| {
            let reader = image::ImageReader::new(std::io::Cursor::new(file(name))).with_guessed_format().unwrap();
            reader.into_dimensions().unwrap()
        };
        assert_eq!(size("bomb.png"), (65_500, 65_500));
        assert_eq!(size("bomb.webp"), (16_383, 16_383));
        let header = turbojpeg::read_header(file("bomb.jpg")).unwrap();
        assert_eq!((header.width, header.height), (65_500, 65_500));
    }

    #[test]
    fn a_lossless_file_that_should_fail_does_and_one_with_many_chunks_is_whole() {
        for (name, expectation, content) in contents().unwrap() {
            if name.ends_with("png") && expectation == Expectation::Fails && !name.starts_with("bomb") {
                assert!(image::load_from_memory(&content).is_err(), "{name}");
            }
            if name == "chunks.png" {
                assert!(content.len() > 1_000_000);
                assert!(image::load_from_memory(&content).is_ok());
            }
        }
    }

    #[test]
    fn the_scans_are_there_and_the_file_is_small() {
        let content = jpeg::many_scans(3000).unwrap();
        let scans = content.windows(2).filter(|marker| *marker == [0xff, 0xda]).count();
        assert!(scans >= 3000, "{scans}");
        assert!(content.len() < 1_000_000, "{}", content.len());
        assert_eq!(turbojpeg::read_header(&content).unwrap().width, 2048);
    }

    #[test]
    fn a_folder_can_be_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let first = write(folder.path()).unwrap();
        assert_eq!(first, write(folder.path()).unwrap());
        for file in &first {
            assert!(folder.path().join("data").join(&file.path).symlink_metadata().is_ok(), "{file:?}");
        }
        assert_eq!(fs::read(folder.path().join("data/link-relative.jpg")).unwrap(), SECRET);
    }
}
