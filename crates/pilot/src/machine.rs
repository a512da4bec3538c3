//! This machine's cores, and what they do with photos: a photo of known size, decoded, cropped, resized, flipped and
//! normalised, over and over, on one core and on all.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_image::{CpuMeter, Payload, Scratch, advance};
use headwater_types::{Address, Cut, Draws, ImageLimits, Recipe, SampleKey};

use crate::error::PilotError;

/// What this machine's cores do.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Photos a second to finished tensors, on one core, of CPU time.
    pub photos_per_core: f64,
    /// Photos a second to finished tensors, on all cores at once, of wall time.
    pub photos_of_all: f64,
    /// Crops a second that one core codes without loss.
    pub lossless_per_core: f64,
    /// Encoded bytes of the photo.
    pub photo_bytes: usize,
    /// The photo's width and height in pixels.
    pub photo_size: [u32; 2],
}

/// A generated photo, so that every machine is measured with the same one: a JPEG of 500 x 375, as photos of ImageNet
/// are.
pub const PHOTO: &[u8] = include_bytes!("../data/photo.jpg");
const PHOTO_SIZE: [u32; 2] = [500, 375];

/// Measures this machine's cores for three times `time`, and blocks meanwhile. `on_progress` hears when each of the
/// three parts is done.
///
/// # Errors
/// The system gives no threads.
pub fn machine(recipe: &Recipe, time: Duration, on_progress: &(dyn Fn(u64) + Sync)) -> Result<Machine, PilotError> {
    let cores = headwater_image::cores().get();
    // Once, so that neither a cold cache nor a sleeping clock counts.
    decode_for(recipe, time / 10)?;
    let (photos, _, busy) = decode_for(recipe, time)?;
    on_progress(1);
    let all = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| decode_for(recipe, time))).collect();
        let lost = |_| PilotError::Internal("a thread that decodes was lost".to_owned());
        workers.into_iter().map(|worker| worker.join().map_err(lost)?).collect::<Result<Vec<_>, PilotError>>()
    })?;
    on_progress(1);
    let photos_of_all = all.iter().map(|(photos, wall, _)| *photos as f64 / wall).sum();
    let lossless_per_core = code_for(recipe, time)?;
    on_progress(1);
    Ok(Machine {
        cores,
        photos_per_core: photos as f64 / busy,
        photos_of_all,
        lossless_per_core,
        photo_bytes: PHOTO.len(),
        photo_size: PHOTO_SIZE,
    })
}

/// A key for the photo. The same photo under many keys is cropped in many ways.
fn key(number: u64) -> Result<SampleKey, PilotError> {
    format!("photo/{number}.jpg").parse().map_err(|error| PilotError::Internal(format!("{error}")))
}

fn take(recipe: &Recipe, number: u64, to: Cut, scratch: &mut Scratch) -> Result<Payload, PilotError> {
    let key = key(number)?;
    let draws = Draws { address: Address::new(1, 0), key: &key };
    let photo = Payload::Encoded(Bytes::from_static(PHOTO));
    let done = advance(recipe, photo, to, &draws, &ImageLimits::default(), scratch);
    done.map_err(|error| PilotError::Internal(format!("the generated photo: {error}")))
}

/// Photos, wall and CPU seconds.
fn decode_for(recipe: &Recipe, time: Duration) -> Result<(u64, f64, f64), PilotError> {
    let (begin, meter, mut scratch) = (Instant::now(), CpuMeter::start(true), Scratch::new());
    let mut photos = 0;
    while begin.elapsed() < time || photos == 0 {
        std::hint::black_box(take(recipe, photos, Cut::Normalized, &mut scratch)?);
        photos += 1;
    }
    Ok((photos, begin.elapsed().as_secs_f64(), meter.read().unwrap_or_default().0.max(1e-9)))
}

fn code_for(recipe: &Recipe, time: Duration) -> Result<f64, PilotError> {
    let mut scratch = Scratch::new();
    let mut crops = Vec::new();
    for number in 0..8 {
        crops.push(take(recipe, number, Cut::Flipped, &mut scratch)?);
    }
    let (begin, meter, mut coded) = (Instant::now(), CpuMeter::start(true), 0_u64);
    while begin.elapsed() < time || coded == 0 {
        for crop in &crops {
            let parts = crop.clone().into_parts(headwater_types::PixelCoding::Lossless, None);
            std::hint::black_box(parts);
            coded += 1;
        }
    }
    Ok(coded as f64 / meter.read().unwrap_or_default().0.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_can_be_measured_and_the_photo_is_what_is_said_of_it() {
        let recipe = Recipe::builtin("imagenet-train").unwrap();
        let machine = machine(&recipe, Duration::from_millis(30), &|_| ()).unwrap();
        assert!(machine.cores >= 1 && machine.photos_per_core > 1.0 && machine.lossless_per_core > 1.0);
        assert!(machine.photos_of_all > 0.0);
        let mut scratch = Scratch::new();
        let Payload::Decoded(decoded) = take(&recipe, 0, Cut::Decoded, &mut scratch).unwrap() else { panic!() };
        let _ = decoded;
    }
}
