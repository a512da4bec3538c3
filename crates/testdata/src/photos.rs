//! A labelled set of photos in class folders, as a dataset on disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::dice::Dice;
use crate::encode::{Encoding, Sampling};
use crate::picture::Picture;
use crate::texture::Texture;

/// A set of photos to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoSet {
    /// The seed of everything in the set: the same seed makes the same set.
    pub seed: u64,
    /// Number of class folders, at most [`Texture::ALL`]'s.
    pub classes: usize,
    /// Photos in each folder.
    pub per_class: usize,
    /// Shortest side of any photo, in pixels.
    pub min_side: u32,
    /// Longest side of any photo, in pixels.
    pub max_side: u32,
}

/// A photo that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnPhoto {
    /// The photo's path below the set's folder, with `/` between the parts.
    pub key: String,
    /// What the photo shows.
    pub texture: Texture,
    /// How the photo is encoded.
    pub encoding: Encoding,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

// === impl PhotoSet ===

impl Default for PhotoSet {
    fn default() -> Self {
        Self { seed: 1, classes: 5, per_class: 40, min_side: 96, max_side: 400 }
    }
}

impl PhotoSet {
    /// The set's photos, in the order of their keys; nothing is drawn yet.
    pub fn photos(&self) -> Vec<DrawnPhoto> {
        let textures = &Texture::ALL[..self.classes.min(Texture::ALL.len())];
        let numbers = |texture: &Texture| (0..self.per_class).map(|number| self.photo(*texture, number)).collect();
        let mut photos: Vec<DrawnPhoto> =
            textures.iter().flat_map(|texture| -> Vec<DrawnPhoto> { numbers(texture) }).collect();
        photos.sort_by(|a, b| a.key.cmp(&b.key));
        photos
    }

    /// Draws and writes the set below this folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> anyhow::Result<Vec<DrawnPhoto>> {
        ensure!(
            (1..=Texture::ALL.len()).contains(&self.classes),
            "{} classes were asked for: there are 1 to {}",
            self.classes,
            Texture::ALL.len()
        );
        ensure!(
            (1..=self.max_side).contains(&self.min_side),
            "sides of {} to {} pixels were asked for",
            self.min_side,
            self.max_side
        );
        let photos = self.photos();
        for photo in &photos {
            let path: PathBuf = folder.join(&photo.key);
            if let Some(class) = path.parent() {
                fs::create_dir_all(class).with_context(|| format!("cannot make the folder {}", class.display()))?;
            }
            fs::write(&path, self.encoded(photo)?).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(photos)
    }

    /// The content of one photo's file.
    pub fn encoded(&self, photo: &DrawnPhoto) -> anyhow::Result<Vec<u8>> {
        photo.encoding.encode(&self.draw(photo))
    }

    /// The pixels of one photo, before they are encoded.
    pub fn draw(&self, photo: &DrawnPhoto) -> Picture {
        let mut dice = Dice::new(self.seed, &photo.key);
        let seed = u64::from(dice.whole(0, u32::MAX - 1));
        Picture::of(photo.texture, photo.width, photo.height, seed)
    }

    fn photo(&self, texture: Texture, number: usize) -> DrawnPhoto {
        let mut dice = Dice::new(self.seed, &format!("{}/{number}", texture.name()));
        let encoding = encoding(&mut dice);
        let width = dice.whole(self.min_side, self.max_side);
        // As cameras have it, 3:4 to 4:3.
        let height = (f64::from(width) * dice.range(0.75, 4.0 / 3.0)).round() as u32;
        DrawnPhoto {
            key: format!("{}/{number:05}.{}", texture.name(), encoding.suffix()),
            texture,
            encoding,
            width,
            height: height.clamp(self.min_side, self.max_side),
        }
    }
}

/// Mostly JPEG, as datasets are; one in eight is a PNG or a WebP.
fn encoding(dice: &mut Dice) -> Encoding {
    match dice.whole(0, 15) {
        0 => Encoding::Png,
        1 => Encoding::WebP,
        roll => Encoding::Jpeg {
            quality: dice.whole(70, 97) as u8,
            sampling: match dice.whole(0, 9) {
                0..=5 => Sampling::S420,
                6 | 7 => Sampling::S444,
                8 => Sampling::S422,
                _ => Sampling::Grey,
            },
            progressive: roll < 5,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: PhotoSet = PhotoSet { seed: 3, classes: 8, per_class: 6, min_side: 24, max_side: 64 };

    #[test]
    fn a_seed_writes_the_same_files_and_another_seed_others() {
        let files = |set: PhotoSet| -> Vec<(String, Vec<u8>)> {
            let folder = tempfile::tempdir().unwrap();
            let photos = set.write(folder.path()).unwrap();
            photos.iter().map(|photo| (photo.key.clone(), fs::read(folder.path().join(&photo.key)).unwrap())).collect()
        };
        let first = files(SMALL);
        assert_eq!(first.len(), 48);
        assert_eq!(first, files(SMALL));
        assert_ne!(first, files(PhotoSet { seed: 4, ..SMALL }));
    }

    #[test]
    fn lossless_files_hold_the_pixels_that_were_drawn() {
        let set = PhotoSet { per_class: 30, ..SMALL };
        let mut seen = 0;
        for photo in set.photos().iter().filter(|photo| matches!(photo.encoding, Encoding::Png | Encoding::WebP)) {
            let file = set.encoded(photo).unwrap();
            let decoded = image::load_from_memory(&file).unwrap().into_rgb8();
            assert_eq!(decoded.dimensions(), (photo.width, photo.height));
            assert_eq!(decoded.into_raw(), set.draw(photo).rgb);
            seen += 1;
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn jpegs_have_the_sampling_and_kind_that_were_asked_for() {
        let set = PhotoSet { per_class: 30, ..SMALL };
        for photo in set.photos() {
            let Encoding::Jpeg { sampling, progressive, .. } = photo.encoding else { continue };
            let file = set.encoded(&photo).unwrap();
            let header = turbojpeg::read_header(&file).unwrap();
            let expected = match sampling {
                Sampling::S444 => turbojpeg::Subsamp::None,
                Sampling::S422 => turbojpeg::Subsamp::Sub2x1,
                Sampling::S420 => turbojpeg::Subsamp::Sub2x2,
                Sampling::Grey => turbojpeg::Subsamp::Gray,
            };
            assert_eq!((header.width, header.height), (photo.width as usize, photo.height as usize));
            assert_eq!(header.subsamp, expected);
            assert_eq!(file.windows(2).any(|marker| marker == [0xff, 0xc2]), progressive, "{}", photo.key);
        }
    }

    #[test]
    fn mean_colour_does_not_give_the_class_away() {
        let set = PhotoSet { per_class: 60, ..SMALL };
        let mean = |photo: &DrawnPhoto| -> [f64; 3] {
            let picture = set.draw(photo);
            let pixels = f64::from(photo.width * photo.height);
            std::array::from_fn(|channel| {
                picture.rgb.iter().skip(channel).step_by(3).map(|byte| f64::from(*byte)).sum::<f64>() / pixels
            })
        };
        let photos = set.photos();
        let means: Vec<(Texture, [f64; 3])> = photos.iter().map(|photo| (photo.texture, mean(photo))).collect();
        // The nearest other photo by mean colour is of the same class about as often as by chance (1 in 8).
        let distance = |a: [f64; 3], b: [f64; 3]| (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>();
        let nearest_agrees = |index: &usize| {
            let others = means.iter().enumerate().filter(|(other, _)| other != index);
            let nearest =
                others.min_by(|a, b| distance(a.1.1, means[*index].1).total_cmp(&distance(b.1.1, means[*index].1)));
            nearest.is_some_and(|(_, (texture, _))| *texture == means[*index].0)
        };
        let agree = (0..means.len()).filter(nearest_agrees).count();
        assert!(agree < means.len() / 4, "{agree} of {}", means.len());
    }
}
