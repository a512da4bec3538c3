//! What a sample costs where there are no traces, and where there are and its call is not recorded: nanoseconds of all
//! that is done for it, medians of rounds.

#![expect(clippy::unwrap_used, reason = "an example ends where it cannot go on")]

use std::hint::black_box;
use std::time::Instant;

use headwater_spans::{Kind, Settings, Span, Tracer};

const SAMPLES: u32 = 1_000_000;
const ROUNDS: usize = 21;

fn main() {
    let off = Tracer::default();
    let variables = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("http://127.0.0.1:9".into()),
        "OTEL_TRACES_SAMPLER" => Some("always_off".into()),
        _ => None,
    };
    let unsampled = Tracer::new(Settings::read("cost", &variables).unwrap().unwrap());
    for (name, tracer) in [("no traces", off), ("not recorded", unsampled)] {
        let call = tracer.begin("call", Kind::Server, None);
        println!("{name}: {:.2} ns a sample, {:.0} ns a call", sample(&call), begun(&tracer));
    }
}

/// Nanoseconds of what is asked and said for one sample, at both ends: it is asked eight times whether it is recorded.
fn sample(call: &Span) -> f64 {
    median(|| {
        for _ in 0..SAMPLES {
            for _ in 0..8 {
                black_box(black_box(call).is_recorded());
            }
        }
    })
}

/// Nanoseconds of beginning a call.
fn begun(tracer: &Tracer) -> f64 {
    median(|| {
        for _ in 0..SAMPLES {
            drop(black_box(black_box(tracer).begin("call", Kind::Client, None)));
        }
    })
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_nanos() as f64 / f64::from(SAMPLES)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}
