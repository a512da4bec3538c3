use std::time::Duration;

use headwater_types::Priority;
use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::account::{Accounts, Caller};

const MEBIBYTE: u64 = 1 << 20;

fn budget(mebibytes: u64) -> MemoryBudget {
    MemoryBudget::new(ByteCount::mebibytes(mebibytes))
}

fn open(accounts: &Accounts, client: &str, connection: &str) -> Account {
    accounts.open(Priority::Normal, &Caller { client, connection, job: "" })
}

async fn take(budget: &MemoryBudget, account: &Account, mebibytes: u64) -> Permit {
    budget.acquire(account, ByteCount::mebibytes(mebibytes)).await.unwrap()
}

/// Begins to wait, and is in the queue once this is over.
async fn begin(budget: &MemoryBudget, account: &Account, mebibytes: u64) -> JoinHandle<Permit> {
    let (budget, account) = (budget.clone(), account.clone());
    let waiting = tokio::spawn(async move { take(&budget, &account, mebibytes).await });
    yield_now().await;
    waiting
}

#[tokio::test]
async fn memory_is_granted_once_and_given_back() {
    let (budget, account) = (budget(4), Account::alone(Priority::Normal));
    let mut first = take(&budget, &account, 3).await;
    let second = begin(&budget, &account, 2).await;
    assert!(!second.is_finished());
    assert_eq!((account.waits(), budget.shortage()), (Some(Waits::Memory), Some(ByteCount::mebibytes(1))));
    first.shrink_to(ByteCount::mebibytes(1));
    drop(second.await.unwrap());
    assert_eq!((account.waits(), budget.shortage()), (None, None));
    assert_eq!(budget.in_use(), ByteCount::mebibytes(1));
    drop(first);
    assert_eq!((budget.in_use().get(), account.held().get()), (0, 0));
}

#[tokio::test]
async fn a_part_outlives_the_rest() {
    let (budget, account) = (budget(4), Account::alone(Priority::Normal));
    let mut run = take(&budget, &account, 3).await;
    let parts = [run.split(ByteCount::mebibytes(1)), run.split(ByteCount::mebibytes(7))];
    drop(run);
    assert_eq!(budget.in_use(), ByteCount::mebibytes(3));
    drop(parts);
    assert_eq!(budget.in_use(), ByteCount::new(0));
}

#[tokio::test]
async fn more_than_everything_is_refused_and_does_not_wait() {
    let failure = budget(1).acquire(&Account::alone(Priority::Normal), ByteCount::mebibytes(2)).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::LimitExceeded);
    assert!(failure.message.contains("--memory"), "{failure}");
}

#[tokio::test]
async fn who_holds_least_is_next_by_client_then_connection_then_stream() {
    let (budget, accounts) = (budget(8), Accounts::default());
    let (greedy, second_stream) = (open(&accounts, "a", "a:1"), open(&accounts, "a", "a:1"));
    let (second_connection, modest) = (open(&accounts, "a", "a:2"), open(&accounts, "b", "b:1"));
    let mut held = take(&budget, &greedy, 8).await;
    let waiting = [
        begin(&budget, &greedy, 1).await,
        begin(&budget, &second_stream, 1).await,
        begin(&budget, &second_connection, 1).await,
        begin(&budget, &modest, 1).await,
    ];
    // The last to come is the first to be served, and so on.
    for served in (0..4).rev() {
        held.shrink_to(ByteCount::new(held.bytes().get() - MEBIBYTE));
        tokio::time::sleep(Duration::from_millis(1)).await;
        let finished: Vec<_> = waiting.iter().map(JoinHandle::is_finished).collect();
        assert_eq!(finished, (0..4).map(|at| at >= served).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn nobody_passes_a_large_sample_that_is_next() {
    let (budget, accounts) = (budget(4), Accounts::default());
    let (large, small) = (open(&accounts, "a", "a"), open(&accounts, "b", "b"));
    let [first, second] = [take(&budget, &small, 2).await, take(&budget, &small, 2).await];
    let waiting = begin(&budget, &large, 3).await;
    let passing = begin(&budget, &small, 1).await;
    drop(first);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(!waiting.is_finished() && !passing.is_finished());
    drop(second);
    let (_three, _one) = (waiting.await.unwrap(), passing.await.unwrap());
    assert_eq!(budget.in_use(), ByteCount::mebibytes(4));
}

#[tokio::test]
async fn who_gives_up_waiting_holds_nothing_and_is_in_nobodys_way() {
    let (budget, account) = (budget(4), Account::alone(Priority::Normal));
    let held = take(&budget, &account, 4).await;
    let given_up = begin(&budget, &account, 4).await;
    given_up.abort();
    assert!(given_up.await.is_err());
    assert_eq!(budget.shortage(), None);
    let waiting = begin(&budget, &account, 1).await;
    drop(held);
    drop(waiting.await.unwrap());
    assert_eq!((budget.in_use().get(), account.held().get()), (0, 0));
}

#[tokio::test]
async fn what_clients_wait_for_goes_before_what_is_done_ahead_of_need() {
    let (budget, accounts) = (budget(4), Accounts::default());
    let (greedy, ahead) = (open(&accounts, "a", "a:1"), Account::alone(Priority::Background));
    let [mut held, rest] = [take(&budget, &greedy, 1).await, take(&budget, &greedy, 3).await];
    let background = begin(&budget, &ahead, 1).await;
    let serving = begin(&budget, &greedy, 1).await;
    held.shrink_to(ByteCount::new(0));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(serving.is_finished() && !background.is_finished());
    drop(rest);
    let (_served, _background) = (serving.await.unwrap(), background.await.unwrap());
    assert_eq!(ahead.held(), ByteCount::mebibytes(1));
}

#[tokio::test]
async fn a_lower_priority_has_its_eighth_and_waits_for_the_rest() {
    let (budget, accounts) = (budget(18), Accounts::default());
    let [normal, low] = [Priority::Normal, Priority::Low]
        .map(|priority| accounts.open(priority, &Caller { client: "a", connection: "a:1", job: "" }));
    let mut all = take(&budget, &normal, 18).await;
    let mut waiting = Vec::new();
    for _ in 0..18 {
        waiting.push(begin(&budget, &normal, 1).await);
        waiting.push(begin(&budget, &low, 1).await);
    }
    for left in (0..18).rev() {
        all.shrink_to(ByteCount::mebibytes(left));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((normal.held(), low.held()), (ByteCount::mebibytes(16), ByteCount::mebibytes(2)));
    waiting.iter().for_each(JoinHandle::abort);
}
