//! How fast samples come from servers, each verified and thrown away: what a server can give, with nothing decoded
//! here. `cargo run --release -p headwater-client --example drain -- 127.0.0.1:7440 NAME jpeg-crop imagenet-train 5`
//! fetches the dataset so often, each time as another epoch, and prints a line of JSON for each.

use std::error::Error;
use std::time::Instant;

use futures::TryStreamExt as _;
use headwater_client::{ClientOptions, Dataset, FetchRequest};
use headwater_types::{Address, Cut, Recipe, Way};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [servers, name, cut, recipe, epochs] = arguments.as_slice() else {
        return Err("give SERVERS DATASET CUT RECIPE EPOCHS".into());
    };
    let servers = servers.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
    let cut: Cut = cut.parse()?;
    let recipe = Recipe::builtin(recipe).ok_or("no such recipe in the box")?;
    let dataset = Dataset::connect(&servers, &name.parse()?, ClientOptions::default()).await?;
    for epoch in 0..epochs.parse()? {
        let request = FetchRequest {
            indices: (0..dataset.len()).into(),
            recipe: Some(recipe.clone()),
            ways: Way::raw(cut).into(),
            addresses: Address::new(1, epoch).into(),
            model: None,
            floats: false,
            ordered: false,
            measure_cpu: false,
            fields: Vec::new(),
        };
        let began = Instant::now();
        let (mut samples, mut failed, mut as_asked, mut bytes) = (0_u64, 0_u64, 0_u64, 0_u64);
        let mut stream = dataset.fetch(request)?;
        while let Some(sample) = stream.try_next().await? {
            samples += 1;
            match sample.outcome {
                Ok(delivered) => {
                    bytes += delivered.payload.len() as u64;
                    as_asked += u64::from(delivered.way.cut() == cut);
                }
                Err(_) => failed += 1,
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{{\"samples\":{samples},\"failed\":{failed},\"as_asked\":{as_asked},\"bytes\":{bytes},\
             \"seconds\":{seconds:.6}}}"
        );
    }
    Ok(())
}
