//! Promise: a photo's indexed form has the pixels of the photo, and so has each piece that is cut from it; or there is
//! a reason why the photo has no indexed form.

use headwater_image::{IndexedJpeg, JpegCrop, Payload, Scratch, Unindexable, advance, decode, read_header, sniff};
use headwater_types::recipe::{Interpolation, Orientation, Stages};
use headwater_types::{
    Address, ByteCount, Cut, Draws, Format, Framing, ImageLimits, PixelBox, Position, Recipe, SampleKey, Size,
};
use proptest::prelude::*;

use crate::coded::{self, Coded, ColorMarker};
use crate::data;
use crate::support::{Jpeg, JpegKind, Picture, turned};

/// A framing that reads just this box, and does not resize it.
fn framing(area: PixelBox) -> Framing {
    let interpolation = Interpolation::Bilinear;
    Framing { readable: area, region: area.into(), cut_from: None, output: area.size(), interpolation, flip: false }
}

/// The stages of a recipe with this orientation.
fn stages(orientation: Orientation) -> Stages {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    Stages { orientation, ..recipe.stages().clone() }
}

/// A box of a photo, from fractions of its sides.
fn part(size: Size, [left, top, right, bottom]: [f64; 4]) -> PixelBox {
    let cut = |side: u32, from: f64, to: f64| {
        let start = (from * f64::from(side)) as u32;
        (start, 1 + (to * f64::from(side - start - 1)).round() as u32)
    };
    let ((x, width), (y, height)) = (cut(size.width, left, right), cut(size.height, top, bottom));
    PixelBox { x, y, width, height }
}

fn rows(pixels: &[u8], size: Size, area: PixelBox) -> Vec<&[u8]> {
    let row = |y: u32| {
        let start = (y * size.width + area.x) as usize * 3;
        &pixels[start..start + area.width as usize * 3]
    };
    (area.y..area.y + area.height).map(row).collect()
}

/// Re-writes and opens a photo, and holds the whole and parts against it.
fn compare(bytes: &[u8], parts: &[[f64; 4]]) -> Result<IndexedJpeg, Unindexable> {
    let limits = ImageLimits::default();
    let photo = IndexedJpeg::rewrite(bytes, &limits)?;
    assert!(photo.bytes().len() <= bytes.len() + bytes.len() / 4 + 4096);
    assert_eq!(IndexedJpeg::open(photo.bytes().clone(), &limits).as_ref(), Ok(&photo));
    for orientation in [Orientation::Stored, Orientation::Exif] {
        let scratch = &mut Scratch::new();
        let whole = decode(bytes, orientation, &limits, scratch).unwrap();
        assert_eq!(decode(photo.bytes(), orientation, &limits, scratch).as_ref(), Ok(&whole));
        assert_eq!(photo.size(orientation), whole.size());
        for &fractions in parts {
            let area = part(whole.size(), fractions);
            let JpegCrop { jpeg, origin, source } = photo.slice(&stages(orientation), &framing(area)).unwrap();
            let piece = decode(&jpeg, orientation, &limits, scratch).unwrap();
            assert_eq!(source, whole.size());
            let inside = PixelBox { x: area.x - origin.x, y: area.y - origin.y, ..area };
            let (actual, expected) =
                (rows(piece.pixels(), piece.size(), inside), rows(whole.pixels(), whole.size(), area));
            assert!(actual == expected, "{area:?} of {source:?}, cut at {origin:?} of {:?}", piece.size());
        }
    }
    Ok(photo)
}

fn fractions() -> impl Strategy<Value = [f64; 4]> {
    prop::array::uniform4(prop_oneof![1 => Just(0.0), 1 => Just(0.999), 6 => 0.0..1.0])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]
    #[test]
    fn a_piece_has_the_pixels_of_the_photo(
        picture in Picture::any(), jpeg in Jpeg::any(), turn in 1_u8..9,
        parts in prop::collection::vec(fractions(), 4),
    ) {
        prop_assume!(jpeg.kind != JpegKind::Cmyk);
        compare(&turned(&jpeg.encode(&picture), turn), &parts).unwrap();
    }

    /// Any layout that libjpeg decodes from one scan, whatever its factors, component ids and markers; and no other.
    #[test]
    fn a_piece_has_the_pixels_of_the_photo_in_every_layout(
        coded in Coded::any(), parts in prop::collection::vec(fractions(), 4),
    ) {
        match compare(&coded.encode(), &parts) {
            Ok(_) => prop_assert!(coded.fits_one_scan()),
            Err(reason) => prop_assert!(!coded.fits_one_scan() && reason == Unindexable::Sampling, "{}", reason),
        }
    }

    /// A broken indexed photo gives a piece of another picture, or an error.
    #[test]
    fn a_broken_index_gives_a_piece_or_an_error(
        picture in Picture::any(), jpeg in Jpeg::any(), parts in prop::collection::vec(fractions(), 3),
        damage in prop::collection::vec((0.0..1.0_f64, any::<u8>(), 0..3_u8), 1..8),
    ) {
        prop_assume!(jpeg.kind != JpegKind::Cmyk);
        let limits = ImageLimits::default();
        let mut bytes = IndexedJpeg::rewrite(&jpeg.encode(&picture), &limits).unwrap().bytes().to_vec();
        for (place, byte, how) in damage {
            let length = bytes.len();
            let at = (place * place * length as f64) as usize;
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte & 7),
                _ => bytes[at..].rotate_left(usize::from(byte) % (length - at)),
            }
        }
        if let Ok(photo) = IndexedJpeg::open(bytes.into(), &limits) {
            let size = photo.size(Orientation::Exif);
            for fractions in parts {
                match photo.slice(&stages(Orientation::Exif), &framing(part(size, fractions))) {
                    Ok(crop) => drop(decode(&crop.jpeg, Orientation::Exif, &limits, &mut Scratch::new())),
                    Err(error) => prop_assert!(error.to_string().contains("indexed"), "{}", error),
                }
            }
        }
    }
}

#[test]
fn photos_are_rewritten_and_cropped_to_the_bit() {
    let limits = ImageLimits::default();
    let quarters = [[0.0; 4], [0.3, 0.2, 0.4, 0.5], [0.999; 4], [0.5, 0.0, 0.1, 1.0]];
    let (mut kept, mut refused, mut before, mut after) = (0, Vec::new(), 0, 0);
    for (folder, step) in [("photos", 9), ("corpus", 1)] {
        for path in data::files(folder, step) {
            let bytes = std::fs::read(&path).unwrap();
            if sniff(&bytes) != Ok(Format::Jpeg)
                || decode(&bytes, Orientation::Stored, &limits, &mut Scratch::new()).is_err()
            {
                continue;
            }
            match compare(&bytes, &quarters) {
                Ok(photo) => {
                    kept += 1;
                    before += bytes.len();
                    after += photo.bytes().len();
                }
                // Neither baseline nor progressive, of three components or one.
                Err(Unindexable::Cmyk | Unindexable::Arithmetic) => {}
                Err(reason) => refused.push((path.file_name().unwrap().to_owned(), reason)),
            }
        }
    }
    println!("{kept} re-written, from {before} to {after} bytes; refused: {refused:?}");
    // The corpus is made to break decoders; all ordinary photos have an indexed form.
    assert!(refused.len() <= 30 && after * 100 <= before * 101);
}

#[test]
fn whatever_stands_in_the_way_has_a_name() {
    let limits = ImageLimits::default();
    let picture = Picture::new(60, 40, 1);
    let plain = Jpeg::PLAIN.encode(&picture);
    let progressive = Jpeg { progressive: true, ..Jpeg::PLAIN }.encode(&picture);
    let marked = |bytes: &[u8], from: u8, to: u8| {
        let mut bytes = bytes.to_vec();
        let at = bytes.windows(2).position(|pair| pair == [0xff, from]).unwrap();
        bytes[at + 1] = to;
        bytes
    };
    let scan = |bytes: &[u8]| bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let coded = Coded {
        width: 200,
        height: 40,
        sampling: vec![(1, 1)],
        marker: ColorMarker::Jfif,
        ids: [1, 2, 3],
        separate: false,
        restart: 0,
        step: 40,
        seed: 3,
    };
    let cases = [
        (Unindexable::NotJpeg, picture.png()),
        (Unindexable::NotJpeg, b"nothing".to_vec()),
        (Unindexable::Unsupported, marked(&plain, 0xc0, 0xc3)),
        (Unindexable::OverLimit, {
            let mut bytes = plain.clone();
            let at = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
            bytes[at + 5..at + 9].fill(0xff);
            bytes
        }),
        (Unindexable::Broken, plain[..200].to_vec()),
        (Unindexable::Cmyk, Jpeg { kind: JpegKind::Cmyk, ..Jpeg::PLAIN }.encode(&picture)),
        (Unindexable::Arithmetic, marked(&plain, 0xc0, 0xc9)),
        (Unindexable::NoEnd, plain[..plain.len() - 2].to_vec()),
        (Unindexable::Sampling, Coded { sampling: vec![(3, 1), (2, 1), (1, 1)], ..coded.clone() }.encode()),
        (Unindexable::Unfinished, [&progressive[..scan(&progressive)], &[0xff, 0xd9]].concat()),
        (Unindexable::Damaged, [&plain[..scan(&plain) + 200], &[0xff, 0xd9]].concat()),
        // Steps of the DC coefficient can be coded, but not the sum that is coded behind a restart marker.
        (Unindexable::Untransformable, Coded { step: 2000, ..coded.clone() }.encode()),
        (Unindexable::Grew, coded::grey_of_one_bit_a_block()),
    ];
    for (expected, bytes) in cases {
        assert_eq!(IndexedJpeg::rewrite(&bytes, &limits).err(), Some(expected));
    }
    let header = read_header(&plain, Orientation::Stored, &limits).unwrap();
    let needed = IndexedJpeg::rewrite_memory(&header, ByteCount::new(plain.len() as u64));
    let rewrite = |memory| {
        IndexedJpeg::rewrite(&plain, &ImageLimits { max_sample_memory: ByteCount::new(memory), ..limits }).err()
    };
    assert_eq!(rewrite(needed.get() - 1), Some(Unindexable::Memory));
    assert_eq!(rewrite(needed.get()), None);
}

#[test]
fn nothing_is_kept_but_the_picture_and_which_way_is_up() {
    let plain = Jpeg::PLAIN.encode(&Picture::new(60, 40, 1));
    let secret = b"Exif\0\0 where it was taken, and by whom";
    let mut bytes = turned(&plain, 6);
    for marker in [0xe1, 0xe2, 0xed, 0xfe] {
        let length = (secret.len() as u16 + 2).to_be_bytes();
        bytes.splice(20..20, [&[0xff, marker, length[0], length[1]], &secret[..]].concat());
    }
    // The first EXIF block is the one that counts.
    let jpeg = IndexedJpeg::rewrite(&bytes, &ImageLimits::default()).unwrap();
    assert_eq!(jpeg.size(Orientation::Exif), Size { width: 60, height: 40 });
    let turned = IndexedJpeg::rewrite(&turned(&plain, 6), &ImageLimits::default()).unwrap();
    assert_eq!(turned.size(Orientation::Exif), Size { width: 40, height: 60 });
    assert!(!jpeg.bytes().windows(secret.len()).any(|window| window == secret));
    let piece =
        turned.slice(&stages(Orientation::Exif), &framing(PixelBox { x: 0, y: 0, width: 9, height: 9 })).unwrap();
    assert!(!piece.jpeg.windows(9).any(|window| window == b"Headwater"), "the table travels");
    assert!(piece.jpeg.len() < turned.bytes().len());
}

#[test]
fn a_piece_whose_words_do_not_fit_it_is_refused() {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let limits = ImageLimits::default();
    let key: SampleKey = "a".parse().unwrap();
    let draws = Draws { address: Address::new(1, 0), key: &key };
    let picture = Picture::new(300, 200, 1);
    let photo = IndexedJpeg::rewrite(&Jpeg::PLAIN.encode(&picture), &limits).unwrap();
    let finish = |crop: JpegCrop| {
        advance(&recipe, Payload::JpegCrop(crop), Cut::Normalized, &draws, &limits, &mut Scratch::new())
            .map_err(|error| error.to_string())
    };
    let sliced = advance(&recipe, Payload::Indexed(photo), Cut::JpegCrop, &draws, &limits, &mut Scratch::new());
    let Ok(Payload::JpegCrop(crop)) = sliced else { panic!("{sliced:?}") };
    assert!(finish(crop.clone()).is_ok());
    let Position { x, y } = crop.origin;
    let Size { width, height } = crop.source;
    let max = u32::MAX;
    for (origin, source) in [
        (Position { x: x + 100, y }, crop.source),
        (Position { x: max, y: max }, crop.source),
        (crop.origin, Size { width: 0, height: 0 }),
        (crop.origin, Size { width: 9, height: 9 }),
        (crop.origin, Size { width: max, height: max }),
        (Position { x: max - 300, y: 0 }, Size { width: max, height }),
        (crop.origin, Size { width, height: height * 9 }),
    ] {
        let error = finish(JpegCrop { origin, source, ..crop.clone() }).unwrap_err();
        assert!(error.contains("payload of cut jpeg-crop"), "{error}");
    }
    let other = Picture::new(300, 200, 1).png();
    assert!(finish(JpegCrop { jpeg: other.into(), ..crop.clone() }).unwrap_err().contains("payload of cut jpeg-crop"));
    assert!(finish(JpegCrop { jpeg: b"\xff\xd8\xff".to_vec().into(), ..crop }).unwrap_err().contains("broken JPEG"));
}

#[test]
fn a_framing_of_another_photo_is_refused() {
    let photo = IndexedJpeg::rewrite(&Jpeg::PLAIN.encode(&Picture::new(60, 40, 1)), &ImageLimits::default()).unwrap();
    for area in [
        PixelBox { x: 60, y: 0, width: 1, height: 1 },
        PixelBox { x: 0, y: 0, width: 61, height: 1 },
        PixelBox { x: 0, y: 39, width: 1, height: 2 },
        PixelBox { x: u32::MAX - 8, y: 0, width: 8, height: 8 },
    ] {
        assert!(photo.slice(&stages(Orientation::Stored), &framing(area)).is_err(), "{area:?}");
    }
}
