//! How long a plan of many samples takes, how good it is, and what memory it needs: `cargo run --release -p
//! headwater-plan --example million -- 1000000 1` makes a profile of so many samples at eight ways on so many servers,
//! and plans it under several resources, on one thread.

use std::fs;
use std::time::Instant;

use headwater_plan::{
    Algorithm, Cores, Cost, Profile, ProfileBuilder, Provenance, Resources, SampleFacts, Server, ServerResources,
    Source, plan,
};
use headwater_types::{BitsPerSecond, Way};

const WAYS: [&str; 8] =
    ["encoded", "jpeg-crop", "decoded", "cropped", "cropped+lossless", "flipped", "flipped+lossless", "normalized"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let samples = numbers.next().transpose()?.unwrap_or(1_000_000);
    let servers = numbers.next().transpose()?.unwrap_or(1).max(1);
    let began = Instant::now();
    let profile = photos(samples, servers)?;
    println!("{samples} samples on {servers} servers made in {:.2} s; peak {}", began.elapsed().as_secs_f64(), peak());
    let began = Instant::now();
    let digest = profile.digest();
    println!("digest {} in {:.2} s", digest.short(), began.elapsed().as_secs_f64());
    println!("{:32}  {:>8}  {:>12}  {:>12}  {:>9}  peak", "resources", "CPU s", "epoch", "bound", "gap");
    for megabits in [100.0, 1000.0, 10_000.0] {
        for cores in [1_u32, 4, 16] {
            for trainer in [None, Some(8_u32)] {
                let has = ServerResources { cores: Cores::from(cores), bandwidth: None, devices: None };
                let resources = Resources {
                    bandwidth: BitsPerSecond::new(megabits * 1e6),
                    trainer_cores: trainer.map(Cores::from),
                    trainer_devices: None,
                    accelerator_rate: None,
                    servers: vec![has; servers as usize],
                };
                let began = on_cpu();
                let made = plan(&profile, &resources, &[], Algorithm::Optimal)?.prediction;
                let took = on_cpu() - began;
                let name =
                    format!("{megabits} Mbps, {cores} + {} cores", trainer.map_or("any".into(), |c| c.to_string()));
                println!(
                    "{name:32}  {took:8.2}  {:12.3}  {:12.3}  {:9.1e}  {}",
                    made.epoch,
                    made.bound,
                    made.gap,
                    peak()
                );
            }
        }
    }
    Ok(())
}

/// Photos from 20 kB to 2 MB, costs as measured on one machine, each a little off.
fn photos(samples: u64, servers: u64) -> Result<Profile, Box<dyn std::error::Error>> {
    let provenance = Provenance::new(Source::Synthetic, "2026-11-21T00:00:00Z", "example", env!("CARGO_PKG_VERSION"));
    let part = samples / servers;
    let server = |place: u64| Server {
        address: format!("node{place}:7440"),
        digest: None,
        first: place * part,
        samples: if place + 1 == servers { samples - place * part } else { part },
        cpu_workers: None,
        devices: None,
        lacks: Vec::new(),
    };
    let ways = WAYS.iter().map(|way| way.parse::<Way>()).collect::<Result<Vec<_>, _>>()?;
    let mut builder = ProfileBuilder::new(provenance, (0..servers).map(server).collect(), ways)?;
    let mut state = 1_u64;
    let mut dice = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for _ in 0..samples {
        let size = 20e3 * (4.6 * dice()).exp();
        let (pixels, off) = (size * 9.0, 0.9 + 0.2 * dice());
        let decode = (4e-4 + size * 1.3e-8) * off;
        let (resize, rest, code) = (4e-4 * off, 1.5e-4, 2e-4 * off);
        let lossless = 40e3 + 50e3 * dice();
        let cost = |bytes: f64, storage_seconds: f64, trainer_seconds: f64| Cost {
            bytes: bytes as u64,
            storage_seconds,
            trainer_seconds,
        };
        let crop = 0.3 + 0.5 * dice();
        builder.push(
            &SampleFacts::default(),
            &[
                cost(size, 0.0, decode + resize + rest),
                cost(size * crop, 2e-5 + size * 5e-11, decode * crop + resize + rest),
                cost(pixels, decode, resize + rest),
                cost(150_528.0, decode + resize, rest),
                cost(lossless, decode + resize + code, rest + code * 1.4),
                cost(150_528.0, decode + resize + 1e-5, rest - 1e-5),
                cost(lossless, decode + resize + 1e-5 + code, rest - 1e-5 + code * 1.4),
                cost(602_112.0, decode + resize + rest, 0.0),
            ],
        )?;
    }
    Ok(builder.finish()?)
}

/// Seconds that this thread has had of a core, which others on the machine do not stretch.
fn on_cpu() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// The most memory that this process has held.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
