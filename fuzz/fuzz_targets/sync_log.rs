//! A log of training is read, with every worker one of its run's, or refused with the line at which it is none; of what
//! is read a page can be made.

#![no_main]

use headwater_plan::sync::log::read;
use headwater_report::{TrainingPage, TrainingRun};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match read(bytes) {
    Ok(log) => {
        assert!(!log.parts.is_empty());
        for part in &log.parts {
            let workers = part.run.workers.len();
            assert!(part.rounds.iter().flat_map(|round| &round.workers).all(|worker| worker.worker < workers));
        }
        let page = TrainingPage { runs: &[TrainingRun::of("fuzz".to_owned(), &log)] }.to_string();
        assert!(page.ends_with("</html>\n"));
    }
    Err(error) => assert!(error.line > 0),
});
