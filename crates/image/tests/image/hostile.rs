//! Promise: no bytes make a panic, or pass a limit.

use headwater_image::{ImageError, IndexedJpeg, Payload, Scratch, advance, decode, lossless, read_header, sniff};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, ByteCount, Cut, Draws, ImageLimits, Recipe, SampleKey, Size};
use proptest::prelude::*;

use crate::support::{Jpeg, Picture, png_of};

/// Decodes a photo, and fails the test where its header promised other sizes than its pixels have.
fn survive(bytes: &[u8], limits: &ImageLimits) {
    let mut scratch = Scratch::new();
    for orientation in [Orientation::Stored, Orientation::Exif] {
        let header = read_header(bytes, orientation, limits);
        match decode(bytes, orientation, limits, &mut scratch) {
            Ok(rgb) => assert_eq!(rgb.size(), header.unwrap().size),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn mutated_pictures_decode_or_fail(
        picture in Picture::any(), jpeg in Jpeg::any(), form in 0..8_usize,
        damage in prop::collection::vec((0.0..1.0_f64, any::<u8>(), 0..3_u8), 1..12), keep in 0.3..1.4_f64,
    ) {
        let mut bytes = match form {
            0 => picture.png(),
            1 => picture.webp(),
            2 => picture.ppm(),
            3 => picture.bmp(),
            4 => picture.gif(),
            5 => picture.tiff(),
            _ => jpeg.encode(&picture),
        };
        for (place, byte, how) in damage {
            // Half of the damage goes to the first bytes, where the structure is.
            let at = (place * place * bytes.len() as f64) as usize;
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        bytes.truncate((keep * bytes.len() as f64) as usize);
        survive(&bytes, &ImageLimits::default());
    }

    #[test]
    fn any_bytes_behind_a_signature_decode_or_fail(
        which in 0..3_usize, bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let signature: &[u8] = [&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBPVP8X"][which];
        survive(&[signature, &bytes].concat(), &ImageLimits::default());
    }
}

/// The first files of the fuzzer of coded pixels: width - 1, height - 1, coded pixels.
#[test]
fn coded_pixels_decode_or_fail_wherever_they_are_cut_short() {
    let limits = ImageLimits { max_sample_memory: ByteCount::mebibytes(1), ..ImageLimits::default() };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/lossless");
    let mut whole = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        let [width, height, coded @ ..] = &file[..] else { panic!("a file without a size") };
        let size = Size { width: u32::from(*width) + 1, height: u32::from(*height) + 1 };
        let decode = |coded: &[u8]| lossless::decode(coded, size, &limits);
        if let Ok(picture) = decode(coded) {
            assert_eq!(picture.size(), size);
            whole += 1;
        }
        for length in (0..coded.len()).step_by(3) {
            assert!(matches!(decode(&coded[..length]), Err(ImageError::Coding { .. })), "{length}");
        }
    }
    assert!(whole >= 7, "only {whole} are sound");
}

fn refused(bytes: &[u8], limits: &ImageLimits) -> &'static str {
    match read_header(bytes, Orientation::Stored, limits) {
        Err(ImageError::LimitExceeded { what, .. }) => what,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn every_limit_is_held_before_pixels_are_decoded() {
    let limits = ImageLimits::default();
    let picture = Picture::new(60, 40, 1);
    let progressive = Jpeg { progressive: true, ..Jpeg::PLAIN }.encode(&picture);
    let others = [picture.png(), picture.webp(), picture.ppm(), picture.bmp(), picture.gif(), picture.tiff()];
    for bytes in [Jpeg::PLAIN.encode(&picture), progressive.clone()].into_iter().chain(others) {
        assert_eq!(refused(&bytes, &ImageLimits { max_object: ByteCount::new(9), ..limits }), "encoded bytes");
        assert_eq!(refused(&bytes, &ImageLimits { max_dimension: 59, ..limits }), "longest side");
        assert_eq!(refused(&bytes, &ImageLimits { max_pixels: 2399, ..limits }), "pixels");
        let memory = ImageLimits { max_sample_memory: ByteCount::new(7200), ..limits };
        assert_eq!(refused(&bytes, &memory), "bytes of memory to decode");
        assert!(read_header(&bytes, Orientation::Stored, &limits).is_ok());
    }
    assert_eq!(refused(&progressive, &ImageLimits { max_scans: 2, ..limits }), "scans");
    assert_eq!(refused(&progressive, &ImageLimits { max_scan_pixels: 10_000, ..limits }), "pixels x scans");
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    // A PNG that says it is 60000 x 60000.
    let mut png = png_of(1, 1, png::ColorType::Rgb, png::BitDepth::Eight, &[1, 2, 3], None);
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(refused(&png, &ImageLimits::default()), "pixels");
    // A JPEG that says it is 65535 x 65535.
    let mut jpeg = Jpeg::PLAIN.encode(&Picture::new(16, 16, 1));
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(refused(&jpeg, &ImageLimits::default()), "pixels");
}

/// Few bytes that would have the decoder allocate much, go round in circles, or go over the file again and again.
#[test]
fn tiffs_that_ask_for_too_much_are_refused() {
    let limits = ImageLimits::default();
    let picture = Picture::new(60, 40, 1);
    let with = |tag: u16, value: u32| {
        let mut tiff = picture.tiff();
        let at = (10..82).step_by(12).find(|at| tiff[*at..at + 2] == tag.to_le_bytes()).unwrap();
        tiff[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
        tiff
    };
    assert_eq!(refused(&with(256, u32::MAX), &limits), "longest side");
    let mut scratch = Scratch::new();
    let mut error = |tiff: &[u8]| decode(tiff, Orientation::Stored, &limits, &mut scratch).unwrap_err().to_string();
    assert!(error(&with(257, 41)).contains("ends before its last pixel"));
    assert!(error(&with(277, 60_000)).contains("60000 samples a pixel"));
    assert!(error(&with(273, u32::MAX)).contains("ends before its last pixel"));
    let mut directory = picture.tiff();
    directory[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(error(&directory).contains("directory is not there"));
    // A tile far larger than the photo, of which each byte would be decoded.
    let mut tiles = picture.tiff();
    for (entry, tag, value) in [(2, 322_u16, 30_000_u32), (4, 324, 90), (5, 323, 30_000)] {
        tiles[10 + 12 * entry..12 + 12 * entry].copy_from_slice(&tag.to_le_bytes());
        tiles[18 + 12 * entry..22 + 12 * entry].copy_from_slice(&value.to_le_bytes());
    }
    assert_eq!(refused(&tiles, &limits), "pixels");
}

/// Limits hold for photos that are cropped without decoding too.
fn survive_indexed(bytes: &[u8], limits: &ImageLimits) {
    let scratch = &mut Scratch::new();
    if let Ok(photo) = IndexedJpeg::rewrite(bytes, limits) {
        let stored = decode(bytes, Orientation::Stored, limits, scratch).unwrap();
        assert_eq!(decode(photo.bytes(), Orientation::Stored, limits, scratch), Ok(stored));
    }
    let Ok(photo) = IndexedJpeg::open(bytes.to_vec().into(), limits) else { return };
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let key: SampleKey = "a".parse().unwrap();
    for epoch in 0..4 {
        let draws = Draws { address: Address::new(1, epoch), key: &key };
        let payload = Payload::Indexed(photo.clone());
        let piece = advance(&recipe, payload, Cut::JpegCrop, &draws, limits, scratch);
        drop(piece.and_then(|piece| advance(&recipe, piece, Cut::Normalized, &draws, limits, scratch)));
    }
}

#[test]
fn the_fuzzers_corpora_are_replayed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut replayed = 0;
    for target in ["image_header", "image_decode", "jpeg_rewrite", "jpeg_slice"] {
        for entry in root.join(target).read_dir().unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            drop(sniff(&bytes));
            survive(&bytes, &ImageLimits::default());
            survive_indexed(&bytes, &ImageLimits::default());
            replayed += 1;
        }
    }
    assert!(replayed >= 40, "the corpora are missing: {replayed}");
}
