//! Measures a delta of two models: its bytes, how fast it is made and applied on one core, and the memory that takes.
//! Time is that for which the core worked on it (Linux), since other work would count otherwise.
//! `cargo run --release --example measure -- BASE.onnx TARGET.onnx`: a line of JSON.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "an example that fails should say so and stop")]

use std::time::Duration;

use headwater_delta::{Limits, apply, encode};

/// Times that each is measured; the shortest of the rounds counts. The kernel counts in steps of some milliseconds.
const ROUNDS: usize = 5;
const TIMES: u32 = 10;

/// The result of some work, the time that it took, and the most memory that it took beside what was there.
fn measured<T>(work: impl Fn() -> T) -> (T, Duration, u64) {
    let before = memory_after_reset();
    let made = work();
    let taken = memory("VmHWM:").saturating_sub(before);
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = worked();
        (0..TIMES).for_each(|_| drop(std::hint::black_box(work())));
        shortest = shortest.min((worked() - started) / TIMES);
    }
    (made, shortest, taken)
}

/// For how long a core has worked on this thread.
fn worked() -> Duration {
    let of_thread = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this measures on Linux alone");
    Duration::from_nanos(of_thread.split_whitespace().next().unwrap().parse().unwrap())
}

/// Forgets the peak of this process's memory, and gives what it has now.
fn memory_after_reset() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").ok();
    memory("VmRSS:")
}

fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next()?.parse::<u64>().ok());
    value.unwrap_or(0) * 1024
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let file = |at: usize| std::fs::read(arguments.get(at).expect("measure BASE.onnx TARGET.onnx")).unwrap();
    let (base, target) = (file(0), file(1));
    let (delta, encoding, of_encoding) = measured(|| encode(&base, &target));
    let (made, applying, of_applying) =
        measured(|| apply(&base, &delta, &Limits::default()).expect("it was just made"));
    assert!(made == target, "the target came back otherwise");
    let speed = |time: Duration| target.len() as f64 / 1e6 / time.as_secs_f64();
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{{\"bytes\": {}, \"encode_mb_s\": {:.0}, \"apply_mb_s\": {:.0}, \"encode_mib\": {:.1}, \"apply_mib\": {:.1}}}",
        delta.len(),
        speed(encoding),
        speed(applying),
        // The result is no memory beside the models.
        mebibytes(of_encoding.saturating_sub(delta.len() as u64)),
        mebibytes(of_applying.saturating_sub(target.len() as u64)),
    );
}
