//! Promise: a sample has the same bits, or the same error, at whatever cut its recipe is cut.

use crate::support::{Jpeg, JpegKind, Picture, recipes, turned};
use headwater_image::{IndexedJpeg, Level, Payload, Scratch, advance, finish_into};
use headwater_types::{Address, Cut, DType, Draws, Form, ImageLimits, PixelCoding, Recipe, SampleKey};
use proptest::prelude::*;

/// The finished tensor's bits, of a sample that is taken to each cut of `stops` on the way.
fn finish(recipe: &Recipe, bytes: &[u8], stops: &[Cut], draws: &Draws<'_>) -> Result<Vec<u32>, String> {
    finish_from(recipe, Payload::Encoded(bytes.to_vec().into()), stops, PixelCoding::Raw, draws)
}

/// The finished tensor's bits of a payload at any cut, whose pixels travel in this coding from each stop.
fn finish_from(
    recipe: &Recipe,
    mut payload: Payload,
    stops: &[Cut],
    pixels: PixelCoding,
    draws: &Draws<'_>,
) -> Result<Vec<u32>, String> {
    let limits = ImageLimits::default();
    // Each stop has a scratch of another level, as on machines with other instructions.
    let levels: Vec<Level> = Level::available().collect();
    let mut machines = levels.iter().rev().cycle().map(|&level| Scratch::at(level));
    let mut machine = || machines.next().unwrap();
    for &stop in stops {
        payload = advance(recipe, payload, stop, draws, &limits, &mut machine()).map_err(|e| e.to_string())?;
        assert_eq!(payload.cut(), stop);
        let parts = payload.into_parts(pixels, None);
        payload = Payload::from_parts(recipe, parts, &limits).map_err(|e| e.to_string())?;
    }
    let size = recipe.output_size();
    let mut row = vec![f32::NAN; (size.pixels() * 3) as usize];
    finish_into(recipe, &payload, draws, &limits, &mut machine(), &mut row).map_err(|e| e.to_string())?;
    Ok(row.iter().map(|v| v.to_bits()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn every_way_to_the_tensor_gives_the_same_bits(
        picture in Picture::any(), jpeg in Jpeg::any(), form in 0..3_usize,
        recipe in 0..recipes().len(), seed: u64, epoch in 0_u64..3,
        stops in prop::sample::subsequence(&Cut::PIXELS[..], 0..6),
    ) {
        let bytes = match form {
            0 => jpeg.encode(&picture),
            1 => picture.png(),
            _ => picture.webp(),
        };
        let recipe = &recipes()[recipe];
        let stops: Vec<_> = stops.into_iter().filter(|&stop| stop != Cut::JpegCrop).collect();
        let key: SampleKey = "red/a.jpg".parse().unwrap();
        let draws = Draws { address: Address::new(seed, epoch), key: &key };
        let direct = finish(recipe, &bytes, &[], &draws).unwrap();
        for pixels in PixelCoding::ALL {
            let encoded = Payload::Encoded(bytes.clone().into());
            prop_assert_eq!(&finish_from(recipe, encoded, &stops, pixels, &draws).unwrap(), &direct, "{}", pixels);
        }
    }

    /// A photo's indexed form gives the bits of the photo.
    #[test]
    fn every_way_from_an_indexed_photo_gives_the_bits_of_the_photo(
        picture in Picture::any(), jpeg in Jpeg::any(), turn in 1_u8..9,
        recipe in 0..recipes().len(), seed: u64,
        stops in prop::sample::subsequence(&Cut::PIXELS[1..], 0..6), lossless: bool,
    ) {
        prop_assume!(jpeg.kind != JpegKind::Cmyk);
        let bytes = turned(&jpeg.encode(&picture), turn);
        let limits = ImageLimits::default();
        let indexed = IndexedJpeg::rewrite(&bytes, &limits).unwrap();
        let opened = IndexedJpeg::open(indexed.bytes().clone(), &limits).unwrap();
        prop_assert_eq!(&opened, &indexed);
        let recipe = &recipes()[recipe];
        // A piece of a photo cannot become the whole photo.
        let piece = stops.contains(&Cut::JpegCrop);
        let stops: Vec<_> = stops.into_iter().filter(|&stop| !(piece && stop == Cut::Decoded)).collect();
        let key: SampleKey = "red/a.jpg".parse().unwrap();
        let draws = Draws { address: Address::new(seed, 0), key: &key };
        let direct = finish(recipe, &bytes, &[], &draws).unwrap();
        let pixels = if lossless { PixelCoding::Lossless } else { PixelCoding::Raw };
        prop_assert_eq!(finish_from(recipe, Payload::Indexed(opened), &stops, pixels, &draws).unwrap(), direct);
    }

    /// All cuts agree on the outcome of a broken photo.
    #[test]
    fn a_broken_photo_fails_at_every_cut_or_at_none(
        picture in Picture::any(), jpeg in Jpeg::any(), form in 0..3_usize, seed: u64, recipe in 0..recipes().len(),
        damage in prop::collection::vec((0.0..1.0, any::<u8>()), 1..6), keep in 0.5..1.3,
    ) {
        let mut bytes = match form {
            0 => jpeg.encode(&picture),
            1 => picture.png(),
            _ => picture.webp(),
        };
        for (place, byte) in damage {
            let at = (place * bytes.len() as f64) as usize;
            bytes[at] = byte;
        }
        bytes.truncate((keep * bytes.len() as f64) as usize);
        let recipe = &recipes()[recipe];
        let key: SampleKey = "a".parse().unwrap();
        let draws = Draws { address: Address::new(seed, 0), key: &key };
        let direct = finish(recipe, &bytes, &[], &draws);
        for stop in Cut::PIXELS[1..].iter().filter(|&&stop| stop != Cut::JpegCrop) {
            prop_assert_eq!(&finish(recipe, &bytes, &[*stop], &draws), &direct, "{}", stop);
        }
    }
}

/// Whether a sample can be taken from one cut to another: never back, never by a piece of a photo to all of it, and to
/// features only by a model.
fn leads(from: Cut, to: Cut) -> bool {
    from <= to && to.form() != Form::Features && (from.form(), to.form()) != (Form::Crop, Form::Photo)
}

#[test]
fn every_cut_leads_to_every_later_one_and_all_to_the_same_tensor() {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let key: SampleKey = "a".parse().unwrap();
    let draws = Draws { address: Address::new(3, 1), key: &key };
    let (limits, mut scratch) = (ImageLimits::default(), Scratch::new());
    let bytes = Jpeg::PLAIN.encode(&Picture::new(400, 300, 1));
    let tensor = finish(&recipe, &bytes, &[], &draws).unwrap();
    let photo = Payload::Indexed(IndexedJpeg::rewrite(&bytes, &limits).unwrap());
    for from in Cut::PIXELS {
        let start = advance(&recipe, photo.clone(), from, &draws, &limits, &mut scratch).unwrap();
        for to in Cut::ALL {
            let payload = match advance(&recipe, start.clone(), to, &draws, &limits, &mut scratch) {
                Ok(payload) if leads(from, to) => payload,
                Err(_) if !leads(from, to) => continue,
                other => panic!("{from} to {to}: {other:?}"),
            };
            assert_eq!(payload.cut(), to);
            for pixels in PixelCoding::ALL {
                let parts = payload.clone().into_parts(pixels, None);
                assert_eq!(parts.way.cut(), to);
                let rank = match to.form() {
                    Form::Stored | Form::Crop | Form::Features => 1,
                    Form::Photo | Form::Pixels | Form::Floats => 3,
                };
                assert_eq!((parts.shape.axes().len(), parts.dtype == DType::F32), (rank, to.form() == Form::Floats));
                let end = finish_from(&recipe, payload.clone(), &[to], pixels, &draws);
                assert_eq!(end.as_ref(), Ok(&tensor), "{from} to {to}");
            }
        }
    }
}

#[test]
fn a_cut_cannot_be_taken_back_or_past_the_pixels() {
    let recipe = Recipe::builtin("imagenet-eval").unwrap();
    let key: SampleKey = "a".parse().unwrap();
    let draws = Draws { address: Address::new(0, 0), key: &key };
    let limits = ImageLimits::default();
    let mut scratch = Scratch::new();
    let bytes = Jpeg::PLAIN.encode(&Picture::new(40, 30, 1));
    let decoded =
        advance(&recipe, Payload::Encoded(bytes.into()), Cut::Decoded, &draws, &limits, &mut scratch).unwrap();
    for to in [Cut::Encoded, Cut::Features] {
        assert!(advance(&recipe, decoded.clone(), to, &draws, &limits, &mut scratch).is_err(), "{to}");
    }
    let mut short = [0.0; 7];
    assert!(finish_into(&recipe, &decoded, &draws, &limits, &mut scratch, &mut short).is_err());
}

#[test]
fn a_photo_without_tables_does_not_take_those_of_the_photo_before() {
    // A JPEG whose quantisation tables are cut out: libjpeg would use those of the last photo.
    let bytes = Jpeg::PLAIN.encode(&Picture::new(40, 30, 1));
    let table = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    let length = usize::from(bytes[table + 2]) << 8 | usize::from(bytes[table + 3]);
    let mut bare = bytes.clone();
    bare.drain(table..table + 2 + length);
    let limits = ImageLimits::default();
    let orientation = headwater_types::recipe::Orientation::Stored;
    let fresh = headwater_image::decode(&bare, orientation, &limits, &mut Scratch::new());
    let mut used = Scratch::new();
    headwater_image::decode(&bytes, orientation, &limits, &mut used).unwrap();
    assert_eq!(headwater_image::decode(&bare, orientation, &limits, &mut used), fresh);
    assert!(fresh.is_err());
}
