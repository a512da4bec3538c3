//! Measures how many whole photos a second one core decodes to RGB from memory. `scripts/bench serve` compares serving
//! with that. `cargo run --release -p headwater-image --example decode -- FOLDER ROUNDS` prints one line of JSON for
//! each round. Files that cannot be decoded are left out of it.

mod folder;

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use headwater_image::{Scratch, decode};
use headwater_types::ImageLimits;
use headwater_types::recipe::Orientation;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rounds] = arguments.as_slice() else { return Err("give FOLDER ROUNDS".into()) };
    let limits = ImageLimits::default();
    let mut scratch = Scratch::new();
    let mut photos = Vec::new();
    for file in folder::files(Path::new(folder))? {
        let bytes = std::fs::read(file)?;
        if decode(&bytes, Orientation::Stored, &limits, &mut scratch).is_ok() {
            photos.push(bytes);
        }
    }
    for _ in 0..rounds.parse()? {
        let began = Instant::now();
        for bytes in &photos {
            black_box(decode(bytes, Orientation::Stored, &limits, &mut scratch)?);
        }
        println!("{{\"samples\":{},\"seconds\":{:.6}}}", photos.len(), began.elapsed().as_secs_f64());
    }
    Ok(())
}
