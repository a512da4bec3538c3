//! Pictures as files: JPEG of every sampling, quality and kind, PNG, and lossless WebP.

use anyhow::Context as _;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::picture::Picture;

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG.
    Jpeg {
        /// 1 to 100.
        quality: u8,
        /// Chroma sampling.
        sampling: Sampling,
        /// In several scans.
        progressive: bool,
    },
    /// PNG, 8-bit RGB.
    Png,
    /// WebP, lossless.
    WebP,
}

/// Chroma sampling of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// There are as many chroma samples as pixels.
    S444,
    /// Half as many across.
    S422,
    /// Half as many across and down.
    S420,
    /// No chroma: grey.
    Grey,
}

// === impl Encoding ===

impl Encoding {
    /// What most cameras and web sites write.
    pub const JPEG: Self = Self::Jpeg { quality: 90, sampling: Sampling::S420, progressive: false };

    /// The customary file name suffix, without the dot.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// The picture as the content of a file.
    pub fn encode(self, picture: &Picture) -> anyhow::Result<Vec<u8>> {
        let mut file = Vec::new();
        let Picture { width, height, rgb } = picture;
        match self {
            Self::Jpeg { quality, sampling, progressive } => {
                return jpeg(picture, quality, sampling, progressive).context("cannot write a JPEG");
            }
            Self::Png => PngEncoder::new(&mut file).write_image(rgb, *width, *height, ExtendedColorType::Rgb8),
            Self::WebP => {
                WebPEncoder::new_lossless(&mut file).write_image(rgb, *width, *height, ExtendedColorType::Rgb8)
            }
        }
        .with_context(|| format!("cannot write a {}", self.suffix()))?;
        Ok(file)
    }
}

fn jpeg(picture: &Picture, quality: u8, sampling: Sampling, progressive: bool) -> turbojpeg::Result<Vec<u8>> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(i32::from(quality))?;
    compressor.set_progressive(progressive)?;
    compressor.set_subsamp(match sampling {
        Sampling::S444 => Subsamp::None,
        Sampling::S422 => Subsamp::Sub2x1,
        Sampling::S420 => Subsamp::Sub2x2,
        Sampling::Grey => Subsamp::Gray,
    })?;
    let width = picture.width as usize;
    compressor.compress_to_vec(Image {
        pixels: picture.rgb.as_slice(),
        width,
        pitch: width * 3,
        height: picture.height as usize,
        format: PixelFormat::RGB,
    })
}
