//! The first signal asks, the second ends at once; one that only says that a terminal is gone is never the second. One
//! test only: signals are the whole process's.

use std::process::Command;

use headwater_cli::signals::{Ended, Signal, Signals};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_first_signal_asks_and_the_second_ends_at_once() {
    let send = |signal: &str| {
        let status = Command::new("kill").args(["-s", signal, &std::process::id().to_string()]).status().unwrap();
        assert!(status.success());
    };
    let mut signals = Signals::install().unwrap();

    let stop = CancellationToken::new();
    let undisturbed = signals.guard(&stop, async { 1 }).await;
    assert_eq!(undisturbed, Ended::Finished { value: 1, asked: None });
    assert!(!stop.is_cancelled());

    let drained = signals.guard(&stop, async {
        send("TERM");
        stop.cancelled().await;
        2
    });
    assert_eq!(drained.await, Ended::Finished { value: 2, asked: Some(Signal::Terminate) });

    let stop = CancellationToken::new();
    let stuck = signals.guard(&stop, async {
        send("TERM");
        stop.cancelled().await;
        send("INT");
        std::future::pending::<()>().await;
    });
    assert_eq!(stuck.await, Ended::Dropped(Signal::Interrupt));

    let stop = CancellationToken::new();
    let closed = signals.guard(&stop, async {
        // Neither ends the process, as by default.
        send("USR1");
        send("USR2");
        send("HUP");
        stop.cancelled().await;
        send("HUP");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        3
    });
    assert_eq!(closed.await, Ended::Finished { value: 3, asked: Some(Signal::Hangup) });
    assert_eq!(Signal::Hangup.exit_code(), 129);
}
