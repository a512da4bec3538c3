//! Through a network that breaks and a store that throttles, an epoch brings every sample, or fails the right one by
//! its name.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::sync::Arc;
use std::time::Duration;

use headwater_testdata::PhotoSet;
use headwater_tests::{Moto, Strain, Toxic, Trial, Upstream};
use tempfile::TempDir;

/// One seed of each kind; `scripts/torture s3` tries twenty, and outages of a minute.
#[test]
fn an_epoch_is_complete_or_the_right_key_fails_by_name() {
    let photos = TempDir::new().unwrap();
    let set = PhotoSet { classes: 3, per_class: 20, max_side: 96, ..PhotoSet::default() };
    set.write(photos.path()).unwrap();
    let Some(moto) = Moto::start(photos.path()).unwrap() else {
        println!("no Python with moto: no S3-compatible store to ask");
        return;
    };
    let upstream = Arc::new(Upstream::new(moto.address()));
    let keys = Arc::new(keys_of(photos.path()));
    assert_eq!(keys.len(), 60);
    let strains = (0..).zip(Toxic::ALL).map(|(at, toxic)| Strain {
        toxic,
        // What passes and what does not, in turn; of what only a minute would tell, what passes.
        seed: if matches!(toxic, Toxic::Drip) { 4 } else { at },
        outage: Duration::from_secs(6),
    });
    let trials: Vec<_> = strains
        .map(|strain| {
            let trial = Trial { upstream: Arc::clone(&upstream), strain, keys: Arc::clone(&keys) };
            std::thread::spawn(move || trial.run().unwrap())
        })
        .collect();
    let verdicts: Vec<_> = trials.into_iter().map(|trial| trial.join().unwrap()).collect();
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let wrong: Vec<_> = verdicts.iter().filter(|verdict| verdict.fault.is_some()).map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn keys_of(folder: &std::path::Path) -> Vec<String> {
    let classes = std::fs::read_dir(folder).unwrap().map(|class| class.unwrap());
    let mut keys: Vec<_> = classes
        .flat_map(|class| {
            let name = class.file_name().into_string().unwrap();
            let files = std::fs::read_dir(class.path()).unwrap();
            files.map(move |file| format!("{name}/{}", file.unwrap().file_name().into_string().unwrap()))
        })
        .collect();
    keys.sort();
    keys
}
