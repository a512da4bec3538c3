//! How fast samples come from servers, each verified and thrown away: what a server can give, with nothing decoded
//! here. `cargo run --release -p headwater-client --example drain -- 127.0.0.1:7440 NAME jpeg-crop imagenet-train 5`
//! fetches the dataset so often, each time as another epoch, and prints a line of JSON for each. `20s` in place of a
//! number of epochs fetches for so long, and prints a line for the epoch that is then underway, too. A seed as the last
//! argument has each epoch in another order.

use std::error::Error;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use headwater_client::{ClientOptions, Dataset, FetchRequest, Indices};
use headwater_types::{Address, Cut, Recipe, SampleIndex, Way};
use tokio::time::timeout_at;

/// When it is enough.
enum Until {
    Epochs(u64),
    Time(Instant),
}

/// What came of one epoch.
#[derive(Default)]
struct Tally {
    samples: u64,
    failed: u64,
    as_asked: u64,
    bytes: u64,
}

// === impl Until ===

impl Until {
    fn parse(text: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match text.strip_suffix('s') {
            Some(seconds) => Self::Time(Instant::now() + Duration::from_secs(seconds.parse()?)),
            None => Self::Epochs(text.parse()?),
        })
    }

    fn is_over(&self, epoch: u64) -> bool {
        match self {
            Self::Epochs(epochs) => epoch >= *epochs,
            Self::Time(end) => Instant::now() >= *end,
        }
    }

    fn end(&self) -> Instant {
        match self {
            Self::Epochs(_) => Instant::now() + Duration::from_secs(24 * 3600),
            Self::Time(end) => *end,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([servers, name, cut, recipe, until], seed) = match arguments.as_slice() {
        [servers, name, cut, recipe, until] => ([servers, name, cut, recipe, until], None),
        [servers, name, cut, recipe, until, seed] => ([servers, name, cut, recipe, until], Some(seed.parse()?)),
        _ => return Err("give SERVERS DATASET CUT RECIPE EPOCHS|SECONDSs [SEED]".into()),
    };
    let servers = servers.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
    let cut: Cut = cut.parse()?;
    let recipe = Recipe::builtin(recipe).ok_or("no such recipe in the box")?;
    let dataset = Dataset::connect(&servers, &name.parse()?, ClientOptions::default()).await?;
    let (until, mut epoch) = (Until::parse(until)?, 0);
    while !until.is_over(epoch) {
        let request = FetchRequest {
            indices: order(dataset.len(), seed, epoch),
            recipe: Some(recipe.clone()),
            ways: Way::raw(cut).into(),
            addresses: Address::new(1, epoch).into(),
            model: None,
            floats: false,
            ordered: false,
            measure_cpu: false,
            fields: Vec::new(),
            caller: None,
        };
        let (began, mut tally) = (Instant::now(), Tally::default());
        let mut stream = dataset.fetch(request)?;
        while let Ok(next) = timeout_at(until.end().into(), stream.try_next()).await {
            let Some(sample) = next? else { break };
            tally.samples += 1;
            match sample.outcome {
                Ok(delivered) => {
                    tally.bytes += delivered.payload.len() as u64;
                    tally.as_asked += u64::from(delivered.way.cut() == cut);
                }
                Err(_) => tally.failed += 1,
            }
        }
        let (Tally { samples, failed, as_asked, bytes }, seconds) = (tally, began.elapsed().as_secs_f64());
        println!(
            "{{\"samples\":{samples},\"failed\":{failed},\"as_asked\":{as_asked},\"bytes\":{bytes},\
             \"seconds\":{seconds:.6}}}"
        );
        epoch += 1;
    }
    Ok(())
}

/// All samples in their order, or in one that the seed and the epoch decide.
fn order(samples: u64, seed: Option<u64>, epoch: u64) -> Indices {
    let Some(seed) = seed else { return (0..samples).into() };
    let mut order: Vec<_> = (0..samples).map(SampleIndex).collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch) | 1;
    for last in (1..order.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(last, (state % (last as u64 + 1)) as usize);
    }
    order.into()
}
