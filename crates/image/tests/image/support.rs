//! Pictures and files that the tests make themselves.

use headwater_types::Recipe;
use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

/// An RGB picture with smooth areas, edges and some noise.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) seed: u64,
}

/// The samplings that libjpeg-turbo writes in colour.
const SUBSAMPS: [Subsamp; 6] =
    [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Sub1x4];

/// How a picture becomes a JPEG.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jpeg {
    pub(crate) subsamp: Subsamp,
    pub(crate) quality: i32,
    pub(crate) progressive: bool,
    pub(crate) optimize: bool,
    pub(crate) kind: JpegKind,
}

/// What a JPEG holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JpegKind {
    Color,
    Grey,
    Cmyk,
}

impl Picture {
    pub(crate) fn new(width: usize, height: usize, seed: u64) -> Self {
        Self { width, height, seed }
    }

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        (1_usize..160, 1_usize..130, any::<u64>()).prop_map(|(width, height, seed)| Self { width, height, seed })
    }

    /// The picture's bytes, `channels` of them a pixel.
    pub(crate) fn bytes(&self, channels: usize) -> Vec<u8> {
        let mut state = self.seed | 1;
        let mut out = Vec::with_capacity(self.width * self.height * channels);
        for y in 0..self.height {
            for x in 0..self.width {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                for channel in 0..channels {
                    let slope = (x * (3 + channel) + y * 5) / 3;
                    let edge = if (x / 13 + y / 11) % 2 == 0 { 90 } else { 0 };
                    let noise = (state >> (8 * channel)) as usize & 15;
                    out.push(((slope + edge + noise) % 256) as u8);
                }
            }
        }
        out
    }

    pub(crate) fn png(&self) -> Vec<u8> {
        png_of(self.width, self.height, png::ColorType::Rgb, png::BitDepth::Eight, &self.bytes(3), None)
    }

    pub(crate) fn webp(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        image_webp::WebPEncoder::new(&mut out)
            .encode(&self.bytes(3), width, height, image_webp::ColorType::Rgb8)
            .unwrap();
        out
    }
}

/// The picture in formats that hold its bytes as they are, or nearly so.
impl Picture {
    pub(crate) fn ppm(&self) -> Vec<u8> {
        [format!("P6 {} {} 255\n", self.width, self.height).into_bytes(), self.bytes(3)].concat()
    }

    pub(crate) fn bmp(&self) -> Vec<u8> {
        let (width, height) = (self.width as u32, self.height as u32);
        let numbers = [0, 0, 54, 40, width, height, 24 << 16 | 1, 0, 0, 0, 0, 0, 0].map(u32::to_le_bytes);
        let padding = [0; 3];
        let mut out = [&b"BM"[..], numbers.as_flattened()].concat();
        for row in self.bytes(3).chunks_exact(self.width * 3) {
            out.extend([row, &padding[..self.width % 4]].concat());
        }
        out
    }

    pub(crate) fn gif(&self) -> Vec<u8> {
        let [width, height] = [self.width as u16, self.height as u16].map(u16::to_le_bytes);
        let codes = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 8).encode(&self.bytes(1)).unwrap();
        let screen = [&b"GIF89a"[..], &width, &height, &[0, 0, 0, b',', 0, 0, 0, 0], &width, &height, &[0, 8]].concat();
        let blocks = codes.chunks(255).flat_map(|block| [&[block.len() as u8], block].concat());
        screen.into_iter().chain(blocks).chain(*b"\0;").collect()
    }

    pub(crate) fn tiff(&self) -> Vec<u8> {
        let (width, height) = (self.width as u32, self.height as u32);
        let entries = [(256_u16, width), (257, height), (258, 8), (262, 2), (273, 90), (277, 3)];
        let mut out = b"II*\0\x08\0\0\0\x06\0".to_vec();
        for (tag, value) in entries {
            out.extend([&tag.to_le_bytes()[..], b"\x04\0\x01\0\0\0", &value.to_le_bytes()].concat());
        }
        out.resize(90, 0);
        [out, self.bytes(3)].concat()
    }
}

/// A PNG of raw rows.
pub(crate) fn png_of(
    width: usize,
    height: usize,
    color: png::ColorType,
    depth: png::BitDepth,
    rows: &[u8],
    palette: Option<&[u8]>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette.to_vec());
    }
    encoder.write_header().unwrap().write_image_data(rows).unwrap();
    out
}

impl Jpeg {
    pub(crate) const PLAIN: Self =
        Self { subsamp: Subsamp::Sub2x2, quality: 85, progressive: false, optimize: false, kind: JpegKind::Color };

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let subsamp = prop::sample::select(&SUBSAMPS);
        let kind = prop::sample::select(vec![JpegKind::Color, JpegKind::Color, JpegKind::Grey, JpegKind::Cmyk]);
        (subsamp, 30_i32..98, any::<bool>(), any::<bool>(), kind).prop_map(
            |(subsamp, quality, progressive, optimize, kind)| Self { subsamp, quality, progressive, optimize, kind },
        )
    }

    pub(crate) fn encode(&self, picture: &Picture) -> Vec<u8> {
        let (format, channels) = match self.kind {
            JpegKind::Color => (PixelFormat::RGB, 3),
            JpegKind::Grey => (PixelFormat::GRAY, 1),
            JpegKind::Cmyk => (PixelFormat::CMYK, 4),
        };
        let pixels = picture.bytes(channels);
        let mut compressor = Compressor::new().unwrap();
        compressor.set_subsamp(if self.kind == JpegKind::Grey { Subsamp::Gray } else { self.subsamp }).unwrap();
        compressor.set_quality(self.quality).unwrap();
        compressor.set_progressive(self.progressive).unwrap();
        compressor.set_optimize(self.optimize).unwrap();
        let pitch = picture.width * channels;
        let image = Image { pixels: &pixels[..], width: picture.width, pitch, height: picture.height, format };
        compressor.compress_to_vec(image).unwrap()
    }
}

/// A JPEG with an EXIF orientation, little endian, behind its first segment.
pub(crate) fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let at = 4 + usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]]));
    let mut exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..at], &exif, &jpeg[at..]].concat()
}

/// A recipe with a bicubic filter in place of its own.
pub(crate) fn bicubic(recipe: &Recipe) -> Recipe {
    let text = recipe.to_toml();
    let choose = |op: &str| text.replace(op, &format!("{op}\ninterpolation = \"bicubic\""));
    let chosen = [choose("op = \"resize\""), choose("op = \"random-resized-crop\"")];
    Recipe::from_toml(chosen.iter().find(|chosen| **chosen != text).unwrap()).unwrap()
}

/// Recipes of every geometry, with both filters, small enough to be quick.
pub(crate) fn recipes() -> Vec<Recipe> {
    let geometries = [
        "op = \"random-resized-crop\"\nsize = [31, 24]",
        "op = \"resize\"\nsize = 32\n[[stage]]\nop = \"center-crop\"\nsize = 28",
        "op = \"center-crop\"\nfraction = 0.875\n[[stage]]\nop = \"resize\"\nsize = [40, 40]",
        "op = \"resize\"\nsize = [17, 50]",
        "op = \"resize\"\nsize = 32\n[[stage]]\nop = \"center-crop\"\nsize = 28\nexact = \"two-step\"",
    ];
    let ends = [
        "op = \"to-tensor\"",
        "op = \"to-tensor\"\nscale = \"byte\"\n[[stage]]\nop = \"normalize\"\nmean = [128.0, 127.0, 126.0]\n\
         std = [3.0, 5.0, 7.0]",
    ];
    let flip = "[[stage]]\nop = \"random-horizontal-flip\"\np = 0.5\n";
    let mut recipes: Vec<Recipe> = Recipe::builtin_names().map(|name| Recipe::builtin(name).unwrap()).collect();
    let mut push = |decode: &str, geometry: &str, end: &str| {
        let text = format!(
            "name = \"t\"\n[[stage]]\nop = \"decode\"\n{decode}\n[[stage]]\n{geometry}\n{flip}[[stage]]\n{end}\n"
        );
        recipes.push(Recipe::from_toml(&text).unwrap());
    };
    for geometry in geometries {
        for end in ends {
            push("orientation = \"exif\"", geometry, end);
        }
    }
    // These sizes are so small that most photos here are decoded at a half, a quarter or an eighth.
    for geometry in [
        "op = \"random-resized-crop\"\nsize = [12, 14]",
        "op = \"random-resized-crop\"\nsize = [3, 4]",
        "op = \"resize\"\nsize = 9\n[[stage]]\nop = \"center-crop\"\nsize = 5",
        "op = \"center-crop\"\nfraction = 0.875\n[[stage]]\nop = \"resize\"\nsize = [1, 1]",
        "op = \"resize\"\nsize = [17, 20]",
        "op = \"resize\"\nsize = 9\n[[stage]]\nop = \"center-crop\"\nsize = 5\nexact = \"two-step\"",
    ] {
        for orientation in ["stored", "exif"] {
            push(&format!("decode = \"fast\"\norientation = \"{orientation}\""), geometry, ends[0]);
        }
    }
    let others: Vec<Recipe> = recipes.iter().map(bicubic).collect();
    recipes.extend(others);
    recipes
}
