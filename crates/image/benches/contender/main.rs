//! Headwater's side of `scripts/bench image`: a process that makes samples when told to on standard input.
//!
//! `contender LIST EPOCHS THREADS` reads the photos that the file LIST names, one path on a line, into memory,
//! re-writes each to its indexed form beside it, and answers every line with one line of JSON:
//!
//! ```text
//!                       first, unasked: what the photos are, and the box and flip of every sample of EPOCHS epochs
//! run VARIANT           one pass over all samples     {"wall": seconds, "cpu": seconds}
//! save VARIANT FILE     writes what it makes of them  {"saved": samples}
//! ```
//!
//! Peers get the same boxes and flips from the first answer, and speak the same lines: whoever asks can let all of them
//! take turns. Nothing is timed here but a pass: no file is read in one, and no thread but those asked for runs.

mod samples;
mod variant;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use samples::Samples;
use variant::Variant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, epochs, threads] = &arguments[..] else {
        return Err("usage: contender LIST EPOCHS THREADS".into());
    };
    let mut samples = Samples::read(list.as_ref(), epochs.parse()?, threads.parse()?)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", samples.describe()?)?;
    for line in io::stdin().lines() {
        let answer = answer(&mut samples, &line?).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn answer(samples: &mut Samples, line: &str) -> Result<Value, Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["run", variant] => {
            let variant: Variant = variant.parse()?;
            let before = now();
            samples.pass(variant)?;
            let after = now();
            Ok(json!({ "wall": (after.0 - before.0).as_secs_f64(), "cpu": (after.1 - before.1).as_secs_f64() }))
        }
        ["save", variant, file] => {
            let mut file = BufWriter::new(File::create(file)?);
            let saved = samples.save(variant.parse()?, &mut file)?;
            file.flush()?;
            Ok(json!({ "saved": saved }))
        }
        _ => Err(format!("no such command: {line:?}").into()),
    }
}

/// Wall time, and CPU time of all threads of this process.
fn now() -> (Duration, Duration) {
    let read = |clock| {
        let time = clock_gettime(clock);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    };
    (read(ClockId::Monotonic), read(ClockId::ProcessCPUTime))
}
